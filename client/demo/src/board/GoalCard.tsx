import { useState } from 'react';
import type { ReactElement } from 'react';
import { useGoalActivity } from '@purposepath/realtime/react';
import { HighlightWrapper, LiveBadge, useLiveBadge } from '@purposepath/realtime/ui';
import { progressOf } from '../../domain/state.js';
import { personOf } from '../../domain/people.js';
import type { Goal, State } from '../../domain/state.js';
import { Avatar } from './Avatar.js';
import type { Pending } from './optimistic.js';
import { Refusal, waitingProps } from './Waiting.js';
import { goalStatuses } from './words.js';

/** Props of {@link GoalCard}. */
export interface GoalCardProps {
  readonly goal: Goal;
  readonly state: State;
  readonly pending: Pending | undefined;
  readonly isSelected: boolean;
  readonly onUndo: (correlationId: string) => void;
}

const counted = (done: number, all: number): string => (all ? `${done} of ${all} actions` : 'No actions yet');

/** A goal at a glance. It lights up when somebody else changes the goal or anything that belongs to it. */
export function GoalCard({ goal, state, pending, isSelected, onUndo }: GoalCardProps): ReactElement {
  const { id, title, status, ownerId, reason } = goal;
  const actions = state.actions.filter(({ goalId }) => goalId === id);
  const done = actions.filter((action) => action.status === 'completed').length;
  const progress = progressOf(state, goal);

  const [changes, setChanges] = useState(0);
  const { showBadge, triggerBadge } = useLiveBadge();
  useGoalActivity({
    goalId: id,
    onAny: (_, { own, replayed }) => {
      if (own) return;
      setChanges((n) => n + 1);
      if (!replayed) triggerBadge();
    },
  });

  return (
    <HighlightWrapper as="li" className="card" trigger={changes} tone={status === 'completed' ? 'success' : 'info'} data-selected={isSelected || undefined} {...waitingProps(pending)}>
      <div className="card-top">
        <span className="chip" data-status={status}>
          {goalStatuses[status]}
        </span>
        <LiveBadge show={showBadge} size="sm" />
      </div>
      <h3>
        <a href={`#/goals/${id}`} aria-current={isSelected ? 'true' : undefined}>
          <bdi>{title}</bdi>
        </a>
      </h3>
      <div className="progress" role="progressbar" aria-label="Progress" aria-valuenow={progress} aria-valuemin={0} aria-valuemax={100}>
        <div style={{ inlineSize: `${progress}%` }} />
      </div>
      <div className="card-bottom">
        <span className="card-note">
          <strong>{progress}&nbsp;%</strong> {status === 'paused' && reason ? reason : counted(done, actions.length)}
        </span>
        <Avatar id={ownerId} label={`Owner: ${personOf(ownerId)?.name ?? 'someone'}`} />
      </div>
      <Refusal pending={pending} onUndo={onUndo} />
    </HighlightWrapper>
  );
}
