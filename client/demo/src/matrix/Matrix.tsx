import { useState } from 'react';
import type { ReactElement } from 'react';
import { Toaster } from 'sonner';
import { RealtimeDebugPanel } from '@purposepath/realtime/debug';
import { useRealtimeToasts } from '@purposepath/realtime/toasts';
import { GoalActivityFeed, HighlightWrapper, LiveBadge, RealtimeIndicator } from '@purposepath/realtime/ui';
import type { HighlightWrapperProps } from '@purposepath/realtime/ui';
import { tenants } from '../../domain/people.js';
import type { State } from '../../domain/state.js';
import { ActionRow } from '../board/ActionRow.js';
import { GoalCard } from '../board/GoalCard.js';
import { IssueRow } from '../board/IssueRow.js';
import { MeasureRow } from '../board/MeasureRow.js';
import { at, seeded } from './cards.js';
import { feeds, GOAL } from './feeds.js';
import { Cell, Part } from './Frame.js';
import type { Scene } from './scenes.js';

/** Every client of the page, by the state it shows. */
export interface Scenes {
  readonly live: Scene;
  readonly connections: readonly (readonly [name: string, scene: Scene])[];
  /** Of each feed. */
  readonly feeds: readonly Scene[];
  readonly card: Scene;
  readonly toasts: Scene;
  readonly debug: Scene;
}

const tones: readonly NonNullable<HighlightWrapperProps['tone']>[] = ['info', 'success', 'warning', 'danger'];
const nothing = (): void => {};
const [{ people }] = tenants;

/** Rows that are highlighted by a click: the page's script presses it when it is time. */
const Highlights = ({ many }: { readonly many: boolean }): ReactElement => {
  const [count, setCount] = useState(0);
  return (
    <>
      <div className="matrix-rows">
        {(many ? [...tones, 'info' as const] : tones).map((tone, i) => (
          <HighlightWrapper key={i} className="matrix-row" tone={tone} trigger={count}>
            A row that has just changed, <span>{tone}</span>
          </HighlightWrapper>
        ))}
      </div>
      <button type="button" className="button" data-press={many ? 'many' : 'few'} onClick={() => setCount(count + 1)}>
        Highlight
      </button>
    </>
  );
};

const Toasts = (): ReactElement => {
  // All at once, which is more than an application shows.
  useRealtimeToasts({ groupAbove: 99 });
  return (
    <div className="matrix-toasts">
      <Toaster expand visibleToasts={9} position="top-left" gap={8} />
    </div>
  );
};

const goal = (state: State, id: string) => state.goals.find((one) => one.id === id) ?? (state.goals[0] as State['goals'][number]);
const action = (state: State, id: string) => state.actions.find((one) => one.id === id) ?? (state.actions[0] as State['actions'][number]);
const refusal = 'The service could not save this change.';
const cards = [
  { goalId: 'goal-3', ...at('Active') },
  { goalId: 'goal-2', ...at('Paused') },
  { goalId: 'goal-4', ...at('Draft') },
  { goalId: 'goal-5', ...at('Selected') },
  { goalId: 'goal-6', ...at('Waiting for its echo', { type: 'goal.paused', input: { goalId: 'goal-6', reason: 'Waiting for legal.' } }) },
  { goalId: 'goal-1', ...at('Refused', { type: 'goal.completed', input: { goalId: 'goal-1' } }, refusal) },
];
const rows = [
  { actionId: 'action-1-1', ...at('Open') },
  { actionId: 'action-1-3', ...at('Done') },
  { actionId: 'action-2-1', ...at('Waiting for its echo', { type: 'action.progress_updated', input: { actionId: 'action-2-1', newProgress: 60 } }) },
  { actionId: 'action-3-1', ...at('Refused', { type: 'action.completed', input: { actionId: 'action-3-1' } }, refusal) },
];

/** The page. What has to happen after it is shown is in main.tsx. */
export function Matrix({ scenes }: { readonly scenes: Scenes }): ReactElement {
  const { live } = scenes;
  return (
    <main className="matrix">
      <h1>Every state of every component</h1>

      <Part name="RealtimeIndicator">
        {scenes.connections.map(([name, { client }]) => (
          <Cell key={name} name={name} client={client}>
            <RealtimeIndicator showDetails graceMs={0} />
          </Cell>
        ))}
        <Cell name="Without details" client={live.client}>
          <RealtimeIndicator />
        </Cell>
        <Cell name="Flag off: nothing" client={live.client} enabled={false}>
          <RealtimeIndicator />
        </Cell>
      </Part>

      <Part name="RealtimeIndicator, its panel">
        {scenes.connections
          .filter(([name]) => name !== 'Connecting')
          .map(([name, { client }]) => (
            <Cell key={name} name={name} client={client}>
              <div data-press="panel">
                <RealtimeIndicator showDetails graceMs={0} />
              </div>
            </Cell>
          ))}
      </Part>

      <Part name="LiveBadge">
        {(['sm', 'md', 'lg'] as const).map((size) => (
          <Cell key={size} name={size} client={live.client}>
            <LiveBadge size={size} autoHideDuration={0} />
          </Cell>
        ))}
        <Cell name="Words of its own" client={live.client}>
          <LiveBadge label="Updated" autoHideDuration={0} />
        </Cell>
        <Cell name="Hidden: its place is kept" client={live.client}>
          <LiveBadge show={false} />
        </Cell>
      </Part>

      <Part name="HighlightWrapper">
        <Cell name="Running" client={live.client}>
          <Highlights many={false} />
        </Cell>
        <Cell name="Five in a second: bars only" client={live.client}>
          <Highlights many />
        </Cell>
      </Part>

      <Part name="GoalActivityFeed">
        {feeds.map(({ name, props, scrolls }, i) => (
          <Cell key={name} name={name} client={(scenes.feeds[i] as Scene).client}>
            <GoalActivityFeed {...props} goalId={GOAL} label={name} className={scrolls ? 'matrix-scrolls' : undefined} />
          </Cell>
        ))}
      </Part>

      <Part name="Toasts">
        <Cell name="Each severity, a critical issue, and what was missed" client={scenes.toasts.client}>
          <Toasts />
        </Cell>
      </Part>

      <Part name="The board: a goal">
        {cards.map(({ name, goalId, state, pending }) => (
          <Cell key={name} name={name} client={live.client}>
            <ul>
              <GoalCard goal={goal(state, goalId)} state={state} pending={pending} isSelected={name === 'Selected'} onUndo={nothing} />
            </ul>
          </Cell>
        ))}
        <Cell name="Changed by somebody else" client={scenes.card.client}>
          <ul>
            <GoalCard goal={goal(seeded, GOAL)} state={seeded} pending={undefined} isSelected={false} onUndo={nothing} />
          </ul>
        </Cell>
      </Part>

      <Part name="The board: actions, an issue and a measure">
        <Cell name="An action: open, done, waiting for its echo, refused" client={live.client} isWide>
          <ul className="matrix-list">
            {rows.map(({ name, actionId, state, pending }) => (
              <ActionRow key={name} action={action(state, actionId)} people={people} pending={pending} run={nothing} onUndo={nothing} />
            ))}
          </ul>
        </Cell>
        <Cell name="Issues" client={live.client}>
          <ul className="matrix-list">
            {seeded.issues.slice(0, 3).map((issue) => (
              <IssueRow key={issue.id} issue={issue} pending={undefined} run={nothing} onUndo={nothing} />
            ))}
          </ul>
        </Cell>
        <Cell name="A measure" client={live.client}>
          <ul className="matrix-list">
            {seeded.measures.slice(0, 1).map((measure) => (
              <MeasureRow key={measure.id} measure={measure} pending={undefined} run={nothing} onUndo={nothing} />
            ))}
          </ul>
        </Cell>
      </Part>

      <Part name="RealtimeDebugPanel">
        <Cell name="Open" client={scenes.debug.client} isWide>
          <RealtimeDebugPanel defaultOpen />
        </Cell>
      </Part>

      <div dir="rtl">
        <Part name="From right to left">
          <Cell name="Indicator and badge" client={live.client}>
            <RealtimeIndicator showDetails /> <LiveBadge autoHideDuration={0} />
          </Cell>
          <Cell name="Feed" client={live.client}>
            <GoalActivityFeed goalId={GOAL} initialActivities={feeds[7]?.props.initialActivities} label="Feed from right to left" />
          </Cell>
          <Cell name="Goal" client={live.client}>
            <ul>
              <GoalCard goal={goal(seeded, 'goal-3')} state={seeded} pending={undefined} isSelected={false} onUndo={nothing} />
            </ul>
          </Cell>
        </Part>
      </div>
    </main>
  );
}
