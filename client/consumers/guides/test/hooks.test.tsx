import { act, fireEvent, render, screen, within } from '@testing-library/react';
import { createFakeServer, createTestClient, makeEvent, MockRealtimeProvider } from '@purposepath/realtime/testing';
import { Suspense } from 'react';
import type { ReactNode } from 'react';
import { ActionRow } from '../out/hooks/src/ActionRow';
import { Board } from '../out/hooks/src/Board';
import { Countdown } from '../out/hooks/src/Countdown';
import { CriticalIssues } from '../out/hooks/src/CriticalIssues';
import { Debug } from '../out/hooks/src/Debug';
import { GoalComments } from '../out/hooks/src/GoalComments';
import { GoalHeader } from '../out/hooks/src/GoalHeader';
import { GoalPage } from '../out/hooks/src/GoalPage';
import { GoalTitle } from '../out/hooks/src/GoalTitle';
import { IssueTab } from '../out/hooks/src/IssueTab';
import { startInvalidation } from '../out/hooks/src/live-tags';
import { Measure } from '../out/hooks/src/Measure';
import { NewGoals } from '../out/hooks/src/NewGoals';
import { OfflineBar } from '../out/hooks/src/OfflineBar';
import { PageHeader } from '../out/hooks/src/PageHeader';
import { PauseButton } from '../out/hooks/src/PauseButton';
import { PlainFeed } from '../out/hooks/src/PlainFeed';
import { ProgressTable } from '../out/hooks/src/ProgressTable';
import { SaveButton } from '../out/hooks/src/SaveButton';
import { Toasts } from '../out/hooks/src/Toasts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

function show(example: ReactNode) {
  const server = createFakeServer();
  const { container } = render(<MockRealtimeProvider server={server}>{example}</MockRealtimeProvider>);
  return { server, container, text: () => container.textContent };
}
const goal = { id: 'g1', title: 'Ship' };
const action = { id: 'a1', goalId: 'g1', title: 'Call', progress: 10 };

test('useRealtimeEvent: of one goal, and whether it was missed', async () => {
  const { server, text } = show(<GoalHeader goal={goal} />);
  server.emit('goal.completed', { goalId: 'g2' });
  expect(text()).toBe('Ship ');
  server.emit('goal.completed', { goalId: 'g1' });
  expect(text()).toBe('Ship reached just now');
  server.drop();
  server.emit('goal.cancelled', { goalId: 'g1', reason: 'no budget' });
  await server.clock.advance(1000);
  expect(text()).toBe('Ship given up while you were away: no budget');
});

test('useRealtimeBatch: the last of many counts', async () => {
  const { server, text } = show(<ProgressTable actions={[action]} />);
  for (const newProgress of [20, 30, 40]) server.emit('action.progress_updated', { actionId: 'a1', newProgress });
  await pass(100);
  expect(text()).toBe('Call40 %');
});

test('useGoalActivity: comments of one goal, and anything of it', () => {
  let refetched = 0;
  const { server, text } = show(<GoalComments goalId="g1" refetch={() => void refetched++} />);
  server.emit('goal.activity.created', { goalId: 'g1', type: 'comment', content: 'Well done' });
  server.emit('goal.activity.created', { goalId: 'g2', type: 'comment', content: 'Elsewhere' });
  server.emit('action.completed', { goalId: 'g1' });
  expect([text(), refetched]).toEqual(['Well done', 2]);
});

test('useRealtimeGoals: a callback for each type', () => {
  const { server, text } = show(<NewGoals />);
  server.emit('goal.created', { goalId: 'g1', title: 'Ship' });
  server.emit('goal.created', { goalId: 'g2', title: 'Rest' });
  server.emit('goal.cancelled', { goalId: 'g1' });
  expect(text()).toBe('Rest');
});

test('useRealtimeResync: loads again after a gap', async () => {
  let loads = 0;
  const { server, text } = show(<Board load={async () => Array<typeof goal>(++loads).fill(goal)} />);
  await pass(0);
  const before = loads;
  server.gap();
  await server.clock.advance(1000);
  await pass(0);
  expect([text(), loads]).toEqual([`${before + 1} goals`, before + 1]);
});

test('useRealtimeConnection: counts down to the next try', () => {
  const { server, text } = show(<Countdown />);
  expect(text()).toBe('');
  vi.setSystemTime(server.clock.now());
  server.drop();
  expect(text()).toMatch(/^Next try in [01] s$/);
});

test('useRealtimeStatus and useRealtime: stale, paused and resumed', async () => {
  const { server } = show(
    <>
      <SaveButton onSave={() => undefined} />
      <PauseButton />
    </>,
  );
  screen.getByText('Save');
  server.halfOpen();
  server.page('visible');
  await server.clock.advance(5000);
  screen.getByText('Save (catching up …)');
  fireEvent.click(screen.getByText('Pause live updates'));
  expect(server.connections).toBe(0);
  fireEvent.click(screen.getByText('Resume live updates'));
  screen.getByText('Pause live updates');
});

test('RealtimeIndicator and useRealtimeIndicator: a loss of two seconds shows', async () => {
  const { server } = show(
    <>
      <PageHeader />
      <div data-testid="bar">
        <OfflineBar />
      </div>
    </>,
  );
  screen.getByRole('button', { name: /Live/ });
  server.page('offline');
  server.drop();
  expect(screen.getByTestId('bar').textContent).toBe('');
  await pass(2000);
  screen.getByRole('button', { name: /Offline/ });
  expect(screen.getByTestId('bar').textContent).toMatch(/^There is no network.*Retry now$/);
});

test('LiveBadge and useLiveBadge: for three seconds, or until it is opened', async () => {
  const { server, container } = show(
    <>
      <GoalTitle goal={goal} />
      <IssueTab onOpen={() => undefined} />
    </>,
  );
  const shown = () => [...container.querySelectorAll('[data-shown]')].map(({ textContent }) => textContent);
  expect(shown()).toEqual([]);
  server.emit('goal.paused', { goalId: 'g1' });
  server.emit('issue.created', { severity: 'low' });
  expect(shown()).toEqual(['Live']);
  server.emit('issue.created', { severity: 'critical' });
  await pass(3000);
  expect(shown()).toEqual(['2 new']);
  fireEvent.click(screen.getByRole('button'));
  expect(shown()).toEqual([]);
});

test('HighlightWrapper and useHighlight: an attribute, while it lasts', async () => {
  const { server, container } = show(
    <>
      <table>
        <tbody>
          <ActionRow action={action} />
        </tbody>
      </table>
      <Measure id="m1" value={7} />
    </>,
  );
  const highlighted = () => [...container.querySelectorAll('[data-rt-highlight]')].map(({ tagName }) => tagName);
  server.emit('action.completed', { actionId: 'a1' });
  server.emit('action.completed', { actionId: 'a2' });
  expect(highlighted()).toEqual(['TR']);
  server.emit('measure.reading_created', { measureId: 'm1' });
  expect(highlighted()).toEqual(['TR', 'OUTPUT']);
  await pass(1600);
  expect(highlighted()).toEqual([]);
});

test('GoalActivityFeed and useActivityFeed: what was before and what comes, each once', async () => {
  const comment = (activityId: string, createdAt: string, content: string) => makeEvent('goal.activity.created', { goalId: 'g1', activityId, type: 'comment', content, createdAt }).data;
  const first = comment('c1', '2026-01-05T08:00:00.000Z', 'Well done');
  const comments = [first];
  vi.stubGlobal('fetch', async () => Response.json(comments));
  const { server } = show(
    <>
      <GoalPage goalId="g1" />
      <div data-testid="plain">
        <PlainFeed goalId="g1" />
      </div>
    </>,
  );
  await pass(100);
  server.emit('goal.activity.created', first);
  server.emit('goal.completed', { goalId: 'g1', title: 'Ship', actorName: 'Ben Okafor' });
  await pass(100);
  const entries = () => within(screen.getByRole('feed')).getAllByRole('article').map(({ textContent }) => textContent);
  expect(entries()).toEqual([expect.stringContaining('Ben Okafor completed'), expect.stringContaining('Well done')]);
  expect(screen.getByTestId('plain').textContent).toContain('Ben Okafor completed');

  comments.unshift(comment('c2', '2026-01-05T08:05:00.000Z', 'Missed'));
  server.gap();
  await server.clock.advance(1000);
  await pass(100);
  expect(entries()).toEqual([expect.stringContaining('Ben Okafor completed'), expect.stringContaining('Missed'), expect.stringContaining('Well done')]);
});

test('toasts: of two types by one call, of one type under a condition', async () => {
  const { server } = show(
    <>
      <Toasts navigate={() => undefined} />
      <CriticalIssues />
    </>,
  );
  const toasts = () => [...document.querySelectorAll('[data-sonner-toast]')].map(({ textContent }) => textContent);
  server.emit('goal.paused', { title: 'Not asked for' });
  server.emit('goal.completed', { title: 'Ship' });
  await pass(100);
  expect(toasts()).toEqual([expect.stringContaining('Ship')]);
  server.emit('issue.created', { issueId: 'i1', severity: 'critical', title: 'Logins fail' });
  await pass(100);
  expect(toasts().filter((text) => text?.includes('Logins fail'))).toHaveLength(2);
  expect(screen.getAllByRole('link').map((link) => link.getAttribute('href'))).toEqual(['/issues/i1']);
});

test('invalidateOnEvents: tags, without React', async () => {
  const server = createFakeServer();
  const client = createTestClient(server);
  const seen: string[] = [];
  startInvalidation(client, (tags) => seen.push(tags.join()));
  await client.connect();
  await pass(3000);
  server.emit('issue.created');
  await pass(1000);
  expect(seen).toEqual(['Goal,Issue', 'Issue']);
});

test('RealtimeDebugPanel: loaded when it is there', async () => {
  vi.useRealTimers();
  show(
    <Suspense>
      <Debug />
    </Suspense>,
  );
  await screen.findByRole('button', { name: /Realtime: connected/ });
});
