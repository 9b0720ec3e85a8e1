import { useMemo } from 'react';
import type { ReactElement } from 'react';
import { goalIdOf } from '@purposepath/realtime';
import type { RealtimeEvent } from '@purposepath/realtime';
import { GoalActivityFeed } from '@purposepath/realtime/ui';
import type { Command } from '../../domain/commands.js';
import type { DomainEvent, Goal } from '../../domain/state.js';
import { newId } from '../newId.js';
import { InlineForm } from './InlineForm.js';

/** Props of {@link Activity}. */
export interface ActivityProps {
  readonly goal: Goal;
  readonly history: readonly DomainEvent[];
  readonly run: (command: Command) => void;
}

/** What has happened to the selected goal, and a line to say something about it. */
export function Activity({ goal: { id: goalId, title }, history, run }: ActivityProps): ReactElement {
  // What the service remembers has no number; the feed goes by time and id.
  const before = useMemo(() => history.map((event) => ({ ...event, sequence: 0 }) as RealtimeEvent).filter((event) => goalIdOf(event) === goalId), [history, goalId]);
  return (
    <aside className="activity" aria-labelledby="activity-heading">
      <div className="section-top">
        <h2 id="activity-heading">Activity</h2>
        <span className="section-note">{title}</span>
      </div>
      <GoalActivityFeed goalId={goalId} initialActivities={before} label={`Activity of ${title}`} />
      <InlineForm label="Write a comment" button="Comment" onSubmit={(content) => run({ type: 'goal.activity.created', input: { activityId: newId(), goalId, type: 'comment', title: 'Comment', content } })} />
    </aside>
  );
}
