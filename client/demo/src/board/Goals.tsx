import { useState } from 'react';
import type { ReactElement } from 'react';
import type { Command } from '../../domain/commands.js';
import { isOpen } from '../../domain/state.js';
import type { Goal, State } from '../../domain/state.js';
import { newId } from '../newId.js';
import { GoalCard } from './GoalCard.js';
import { InlineForm } from './InlineForm.js';
import { pendingOf } from './optimistic.js';
import type { Pending } from './optimistic.js';

/** Props of {@link Goals}. */
export interface GoalsProps {
  readonly state: State;
  readonly pending: readonly Pending[];
  readonly selectedId: string | undefined;
  readonly run: (command: Command) => void;
  readonly onUndo: (correlationId: string) => void;
  /** Beside the heading. */
  readonly summary: ReactElement;
}

/** Oldest first; what came at the same time by its id, so that the order is the same for everybody. */
export const byAge = <E extends { readonly createdAt: string; readonly id: string }>(entities: readonly E[]): readonly E[] =>
  [...entities].sort((a, b) => (a.createdAt < b.createdAt ? -1 : a.createdAt > b.createdAt ? 1 : a.id < b.id ? -1 : 1));

/** All goals as cards: those that are open, and behind a click those that are over. */
export function Goals({ state, pending, selectedId, run, onUndo, summary }: GoalsProps): ReactElement {
  const [isAdding, setIsAdding] = useState(false);
  const goals = byAge(state.goals);
  const open = goals.filter(isOpen);
  const over = goals.filter((goal) => !isOpen(goal));
  const card = (goal: Goal): ReactElement => <GoalCard key={goal.id} goal={goal} state={state} pending={pendingOf(pending, goal.id)} isSelected={goal.id === selectedId} onUndo={onUndo} />;
  return (
    <section className="goals" aria-labelledby="goals-heading">
      <div className="section-top">
        <h2 id="goals-heading">Active goals</h2>
        {summary}
        <button type="button" className="link" aria-expanded={isAdding} onClick={() => setIsAdding(!isAdding)}>
          New goal
        </button>
      </div>
      {isAdding && (
        <InlineForm
          label="What is to be reached"
          button="Create"
          onSubmit={(title) => {
            const goalId = newId();
            run({ type: 'goal.created', input: { goalId, title } });
            setIsAdding(false);
            location.hash = `#/goals/${goalId}`;
          }}
        />
      )}
      {open.length ? <ul className="cards">{open.map(card)}</ul> : <p className="empty">No goals yet. A new one appears here for everybody at once.</p>}
      {over.length > 0 && (
        <details className="over">
          <summary>Completed and cancelled · {over.length}</summary>
          <ul className="cards">{over.map(card)}</ul>
        </details>
      )}
    </section>
  );
}
