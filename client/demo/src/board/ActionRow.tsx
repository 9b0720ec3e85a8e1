import { useState } from 'react';
import type { ReactElement } from 'react';
import { HighlightWrapper } from '@purposepath/realtime/ui';
import type { Command } from '../../domain/commands.js';
import type { Person } from '../../domain/people.js';
import type { Action } from '../../domain/state.js';
import { Avatar } from './Avatar.js';
import type { Pending } from './optimistic.js';
import { Picker } from './Picker.js';
import { Refusal, waitingProps } from './Waiting.js';
import { actionStatuses, dayOf, priorities } from './words.js';

/** Props of {@link ActionRow}. */
export interface ActionRowProps {
  readonly action: Action;
  readonly people: readonly Person[];
  readonly pending: Pending | undefined;
  readonly run: (command: Command) => void;
  readonly onUndo: (correlationId: string) => void;
}

const { completed: _, ...openStatuses } = actionStatuses;

/** An action: done or not, how far, by whom and until when. */
export function ActionRow({ action, people, pending, run, onUndo }: ActionRowProps): ReactElement {
  const { id: actionId, title, status, priority, progress, assigneeId, dueDate } = action;
  const isDone = status === 'completed';
  /** While the slider is being moved. */
  const [moved, setMoved] = useState<number>();
  const shown = moved ?? progress;
  const settle = (): void => {
    if (moved !== undefined && moved !== progress) run({ type: 'action.progress_updated', input: { actionId, newProgress: moved } });
    setMoved(undefined);
  };
  return (
    <HighlightWrapper as="li" id={actionId} className="row action" entity={{ kind: 'action', id: actionId }} data-done={isDone || undefined} {...waitingProps(pending)}>
      <label className="check">
        <input
          type="checkbox"
          checked={isDone}
          aria-label={`${title}: done`}
          onChange={() => run(isDone ? { type: 'action.status_changed', input: { actionId, newStatus: 'in_progress' } } : { type: 'action.completed', input: { actionId } })}
        />
      </label>
      <bdi className="row-title">{title}</bdi>
      {isDone ? (
        <span className="chip" data-status="completed">
          Done
        </span>
      ) : (
        <Picker label={`Status of ${title}`} value={status} options={openStatuses} onChange={(newStatus) => run({ type: 'action.status_changed', input: { actionId, newStatus } })}>
          <span className="chip" data-status={status}>
            {actionStatuses[status]}
          </span>
        </Picker>
      )}
      <Picker label={`Priority of ${title}`} value={priority} options={priorities} onChange={(newPriority) => run({ type: 'action.priority_changed', input: { actionId, newPriority } })}>
        <span className="priority" data-priority={priority}>
          {priorities[priority]}
        </span>
      </Picker>
      <span className="slider">
        <input
          type="range"
          min={0}
          max={100}
          step={5}
          value={shown}
          disabled={isDone}
          aria-label={`Progress of ${title}`}
          aria-valuetext={`${shown} %`}
          style={{ '--value': shown / 100 } as object}
          onChange={(event) => setMoved(Number(event.target.value))}
          onPointerUp={settle}
          onKeyUp={settle}
          onBlur={settle}
        />
        <span className="number">{shown}&nbsp;%</span>
      </span>
      <time className="due" dateTime={dueDate} title={`Due ${dueDate}`}>
        {dayOf(dueDate)}
      </time>
      <Picker
        label={`Who does ${title}`}
        value={assigneeId}
        options={Object.fromEntries(people.map(({ id, name }) => [id, name]))}
        className="picker-avatar"
        onChange={(newAssignee) => run({ type: 'action.reassigned', input: { actionId, newAssignee } })}
      >
        <Avatar id={assigneeId} />
      </Picker>
      <Refusal pending={pending} onUndo={onUndo} />
    </HighlightWrapper>
  );
}
