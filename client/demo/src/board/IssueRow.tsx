import type { ReactElement } from 'react';
import { HighlightWrapper } from '@purposepath/realtime/ui';
import type { Command } from '../../domain/commands.js';
import type { Issue } from '../../domain/state.js';
import { Avatar } from './Avatar.js';
import type { Pending } from './optimistic.js';
import { Picker } from './Picker.js';
import { Refusal, waitingProps } from './Waiting.js';
import { issueStatuses, severities } from './words.js';

/** Props of {@link IssueRow}. */
export interface IssueRowProps {
  readonly issue: Issue;
  readonly pending: Pending | undefined;
  readonly run: (command: Command) => void;
  readonly onUndo: (correlationId: string) => void;
}

/** An issue, how bad it is, and where it stands. */
export function IssueRow({ issue, pending, run, onUndo }: IssueRowProps): ReactElement {
  const { id: issueId, title, severity, status, reporterId } = issue;
  return (
    <HighlightWrapper as="li" id={issueId} className="row issue" entity={{ kind: 'issue', id: issueId }} tone={severity === 'critical' ? 'danger' : severity === 'high' ? 'warning' : 'info'} {...waitingProps(pending)}>
      <bdi className="row-title">{title}</bdi>
      <span className="priority" data-priority={severity}>
        {severities[severity]}
      </span>
      <Picker label={`Status of ${title}`} value={status} options={issueStatuses} onChange={(newStatus) => run({ type: 'issue.status_changed', input: { issueId, newStatus } })}>
        <span className="chip" data-status={status}>
          {issueStatuses[status]}
        </span>
      </Picker>
      <Avatar id={reporterId} />
      <Refusal pending={pending} onUndo={onUndo} />
    </HighlightWrapper>
  );
}
