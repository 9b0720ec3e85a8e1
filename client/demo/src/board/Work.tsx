import { useState } from 'react';
import type { ReactElement } from 'react';
import type { IssueSeverity } from '@purposepath/realtime';
import type { Command } from '../../domain/commands.js';
import type { Person, Tenant } from '../../domain/people.js';
import type { Goal, State } from '../../domain/state.js';
import { newId } from '../newId.js';
import { ActionRow } from './ActionRow.js';
import { byAge } from './Goals.js';
import { InlineForm } from './InlineForm.js';
import { IssueRow } from './IssueRow.js';
import { MeasureRow } from './MeasureRow.js';
import { pendingOf } from './optimistic.js';
import type { Pending } from './optimistic.js';
import { Picker } from './Picker.js';
import { severities } from './words.js';

/** Props of {@link Work}. */
export interface WorkProps {
  readonly goal: Goal;
  readonly state: State;
  readonly tenant: Tenant;
  readonly user: Person;
  readonly pending: readonly Pending[];
  readonly run: (command: Command) => void;
  readonly onUndo: (correlationId: string) => void;
}

const WEEK = 7 * 86_400_000;

const GoalButtons = ({ goal: { id: goalId, status }, run }: Pick<WorkProps, 'goal' | 'run'>): ReactElement => (
  <div className="buttons">
    {status === 'draft' && (
      <button type="button" className="button" onClick={() => run({ type: 'goal.activated', input: { goalId } })}>
        Start
      </button>
    )}
    {status === 'active' && (
      <button type="button" className="button" onClick={() => run({ type: 'goal.paused', input: { goalId, reason: 'Paused for now.' } })}>
        Pause
      </button>
    )}
    {status === 'paused' && (
      <button type="button" className="button" onClick={() => run({ type: 'goal.resumed', input: { goalId } })}>
        Resume
      </button>
    )}
    {status === 'active' && (
      <button type="button" className="button" onClick={() => run({ type: 'goal.completed', input: { goalId } })}>
        Complete
      </button>
    )}
    {(status === 'draft' || status === 'paused') && (
      <button type="button" className="button" onClick={() => run({ type: 'goal.cancelled', input: { goalId } })}>
        Cancel goal
      </button>
    )}
  </div>
);

/** What belongs to the selected goal: actions, measures, issues. */
export function Work({ goal, state, tenant, user, pending, run, onUndo }: WorkProps): ReactElement {
  const { id: goalId } = goal;
  const [severity, setSeverity] = useState<IssueSeverity>('medium');
  const mine = <E extends { readonly goalId: string | undefined }>(list: readonly E[]): readonly E[] => list.filter((one) => one.goalId === goalId);
  const actions = byAge(mine(state.actions));
  const measures = mine(state.measures);
  const issues = byAge(mine(state.issues)).filter(({ status }) => status !== 'closed');
  return (
    <section className="work" aria-labelledby="work-heading">
      <div className="section-top">
        <h2 id="work-heading">{goal.title}</h2>
        <GoalButtons goal={goal} run={run} />
      </div>

      <div className="panel">
        <h3>Actions</h3>
        <ul className="rows">
          {actions.map((action) => (
            <ActionRow key={action.id} action={action} people={tenant.people} pending={pendingOf(pending, action.id)} run={run} onUndo={onUndo} />
          ))}
        </ul>
        <InlineForm
          label="What has to be done"
          button="Add action"
          onSubmit={(title) => run({ type: 'action.created', input: { actionId: newId(), goalId, title, assignedTo: user.id, dueDate: new Date(Date.now() + WEEK).toISOString().slice(0, 10), priority: 'medium' } })}
        />
      </div>

      {measures.length > 0 && (
        <div className="panel">
          <h3>Measures</h3>
          <ul className="rows">
            {measures.map((measure) => (
              <MeasureRow key={measure.id} measure={measure} pending={pendingOf(pending, measure.id)} run={run} onUndo={onUndo} />
            ))}
          </ul>
        </div>
      )}

      <div className="panel">
        <h3>Issues</h3>
        <ul className="rows">
          {issues.map((issue) => (
            <IssueRow key={issue.id} issue={issue} pending={pendingOf(pending, issue.id)} run={run} onUndo={onUndo} />
          ))}
        </ul>
        <InlineForm label="What is in the way" button="Report issue" onSubmit={(title) => run({ type: 'issue.created', input: { issueId: newId(), goalId, title, description: '', severity } })}>
          <Picker label="Severity" value={severity} options={severities} onChange={setSeverity}>
            <span className="priority" data-priority={severity}>
              {severities[severity]}
            </span>
          </Picker>
        </InlineForm>
      </div>
    </section>
  );
}
