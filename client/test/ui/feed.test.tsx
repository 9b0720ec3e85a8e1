// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { Profiler, StrictMode } from 'react';
import type { ReactNode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { RealtimeClient, RealtimeEventType } from '../../src/index.js';
import { RealtimeProvider } from '../../src/react/index.js';
import type { RealtimeProviderProps } from '../../src/react/index.js';
import { createFakeServer, createTestClient, makeEvent } from '../../src/testing/index.js';
import type { FakeServer } from '../../src/testing/index.js';
import { GoalActivityFeed, useActivityFeed } from '../../src/ui/index.js';
import type { GoalActivityFeedProps } from '../../src/ui/index.js';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

/** How many pixels the feed's top has been scrolled out. */
let scrolled = 0;
const scrollIntoView = vi.fn<(this: Element) => void>();
let returns: (() => void) | undefined;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame'], now: Date.UTC(2026, 0, 5, 9) });
  scrolled = 0;
  vi.spyOn(Element.prototype, 'getBoundingClientRect').mockImplementation(() => ({ top: -scrolled, bottom: -scrolled }) as DOMRect);
  Element.prototype.scrollIntoView = scrollIntoView;
  vi.stubGlobal('matchMedia', () => ({ matches: true }));
  vi.stubGlobal(
    'IntersectionObserver',
    class {
      constructor(report: (entries: readonly { isIntersecting: boolean }[]) => void) {
        returns = () => report([{ isIntersecting: true }]);
      }
      observe(): void {}
      disconnect(): void {
        returns = undefined;
      }
    },
  );
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.useRealTimers();
  vi.restoreAllMocks();
  scrollIntoView.mockClear();
});

type Provided = Partial<Pick<RealtimeProviderProps, 'labels' | 'resolveUser' | 'resolveEntity' | 'enabled'>>;
interface Stage {
  readonly server: FakeServer;
  readonly client: RealtimeClient;
  readonly view: (props?: Partial<GoalActivityFeedProps>) => ReactNode;
  readonly emit: (type: RealtimeEventType, data?: object, ago?: number) => void;
}
const stage = (props: Partial<GoalActivityFeedProps> = {}, provided: Provided = {}): Stage => {
  const server = createFakeServer({ userId: 'me' });
  const client = createTestClient(server);
  return {
    server,
    client,
    view: (more) => (
      <RealtimeProvider client={client} {...provided}>
        <GoalActivityFeed goalId="g1" {...props} {...more} />
      </RealtimeProvider>
    ),
    emit: (type, data, ago = 0) => void server.emit(type, { goalId: 'g1', ...data } as never, { timestamp: new Date(Date.now() - ago).toISOString() }),
  };
};
const start = (props?: Partial<GoalActivityFeedProps>, provided?: Provided) => {
  const on = stage(props, provided);
  return { ...on, ...render(on.view()) };
};
const later = async (ms: number): Promise<void> => void (await act(() => vi.advanceTimersByTimeAsync(ms)));
const frame = (): Promise<void> => later(16);
const rows = (): readonly HTMLElement[] => screen.queryAllByRole('article');
const sentence = (row: HTMLElement | undefined): string | null | undefined => document.getElementById(row?.getAttribute('aria-labelledby') ?? '')?.textContent;
const sentences = (): readonly unknown[] => rows().map(sentence);
const names = (): readonly unknown[] => Array.from(document.querySelectorAll('bdi'), (name) => name.textContent);
const comment = (n: number) => ({ id: `c${n}`, type: 'comment', at: new Date(Date.now() - n * 60_000).toISOString(), title: `Comment ${n}` });

test('an event of the goal: who did what with names in bold, what was written, how long ago', async () => {
  const { emit } = start();
  screen.getByText('No activity yet');
  emit('goal.paused', { actorName: 'Jo Ortiz', title: 'Onboard', reason: 'Waiting for legal.' });
  emit('goal.paused', { goalId: 'another' });
  await frame();
  expect(rows().map((row) => row.textContent)).toEqual(['JOJo Ortiz paused OnboardWaiting for legal.just now']);
  expect(sentences()).toEqual(['Jo Ortiz paused Onboard']);
  expect(names()).toEqual(['Jo Ortiz', 'Onboard']);
  expect(screen.queryByText('No activity yet')).toBeNull();
});

test('statuses and priorities are words, and a comment is not said to be on its goal', async () => {
  const { emit } = start({}, { resolveUser: (id) => (id === 'u1' ? { name: 'Ana Berg' } : undefined) });
  emit('action.status_changed', { changedBy: 'u1', title: 'Review', newStatus: 'in_progress' });
  emit('action.priority_changed', { changedBy: 'u1', title: 'Review', previousPriority: 'low', newPriority: 'critical' });
  emit('goal.activity.created', { createdBy: 'u1', type: 'comment', content: 'It is live.' });
  emit('action.completed', { completedBy: 'unknown', actorName: undefined, title: undefined });
  await frame();
  expect(sentences()).toEqual(['Someone completed an action', 'Ana Berg commented', 'Ana Berg changed the priority of Review from Low to Critical', 'Ana Berg moved Review to In progress']);
  expect(rows()[1]?.textContent).toContain('It is live.');
  expect(rows()[0]?.querySelector('.rt-feed-avatar svg')).not.toBeNull();
});

test('a translation of events is one of the feed, and its names are bold wherever it puts them', async () => {
  const event = vi.fn((_: unknown, { actor, entity }: { actor?: string | undefined; entity?: string | undefined }) => `${String(entity)} wurde von ${actor ?? 'jemandem'} pausiert`);
  const { emit } = start({}, { labels: { event, locale: 'de', justNow: 'gerade eben' } });
  emit('goal.paused', { actorName: 'Al', title: 'Also Al' });
  await frame();
  expect(sentences()).toEqual(['Also Al wurde von Al pausiert']);
  expect(names()).toEqual(['Also Al', 'Al']);
  await later(60_000);
  expect(rows()[0]?.querySelector('time')?.textContent).toBe('vor 1 Min.');
  // The title of a comment is not the name of its goal.
  emit('goal.activity.created', { title: 'A thought', goalTitle: 'Onboard' });
  await frame();
  expect(names()[0]).toBe('Onboard');
});

test('an entry of the application has the name that it was given, before the provider\'s', async () => {
  const entry = { ...comment(1), actorId: 'u1', actorName: 'Ben Okafor', title: 'Ben Okafor commented' };
  start({ initialActivities: [entry, { ...comment(2), actorId: 'u1', title: 'Benjamin wrote a note' }] }, { resolveUser: () => ({ name: 'Benjamin' }) });
  await frame();
  expect(names()).toEqual(['Ben Okafor', 'Benjamin']);
});

test('a name ends where a word does', async () => {
  start({ initialActivities: ['Another thing', 'An’s note', 'An'].map((title, n) => ({ ...comment(n), actorName: 'An', title })) });
  await frame();
  expect(Array.from(document.querySelectorAll('bdi'), (name) => name.parentElement?.parentElement?.textContent)).toEqual(['An’s note', 'An']);
});

test('where a provider knows a link and no title, the event\'s own is the link', async () => {
  const { emit } = start({}, { resolveEntity: ({ kind, id }) => ({ href: `/${kind}/${id}` }) });
  emit('action.completed', { actionId: 'a1', title: 'Review' });
  await frame();
  expect(Array.from(document.querySelectorAll('a'), (a) => [a.textContent, a.getAttribute('href')])).toEqual([['Review', '/action/a1']]);
});

test('entities link to where the provider says they are; the goal itself does not', async () => {
  const { emit } = start({}, { resolveEntity: ({ kind, id }) => ({ title: `The ${kind}`, href: `/${kind}/${id}` }) });
  emit('action.completed', { actionId: 'a1', actorName: 'Ana' });
  emit('goal.paused', { actorName: 'Ana' });
  await frame();
  expect(sentences()).toEqual(['Ana paused The goal', 'Ana completed The action']);
  expect(Array.from(document.querySelectorAll('a'), (a) => [a.textContent, a.getAttribute('href')])).toEqual([['The action', '/action/a1']]);
});

test('a picture that does not load gives way to initials', async () => {
  const { emit } = start({}, { resolveUser: () => ({ name: 'Ana Maria de la Cruz', avatarUrl: '/ana.png' }) });
  emit('goal.paused');
  await frame();
  const avatar = document.querySelector('.rt-feed-avatar') as HTMLElement;
  fireEvent.error(avatar.querySelector('img') as HTMLImageElement);
  expect(avatar.textContent).toBe('AC');
});

test('an entry whose time is no time is the oldest, and stops nothing', async () => {
  start({ initialActivities: [{ ...comment(1), id: 'x', at: 'yesterday' }, comment(2)] });
  const timers = vi.getTimerCount();
  await later(0);
  expect([rows().map((row) => row.querySelector('time')?.textContent), vi.getTimerCount()]).toEqual([['2 min ago', '1 Jan 1970'], timers]);
});

test('times go on with one timer, which rests while the page is hidden', async () => {
  const hidden = vi.spyOn(document, 'hidden', 'get').mockReturnValue(false);
  start({ initialActivities: [comment(0), comment(5), comment(3000)] });
  const times = (): readonly unknown[] => Array.from(document.querySelectorAll('time'), (time) => time.textContent);
  expect(times()).toEqual(['just now', '5 min ago', '2 days ago']);
  expect(document.querySelector('time')).toMatchObject({ dateTime: '2026-01-05T09:00:00.000Z' });
  expect(document.querySelector('time')?.title).toContain('5 Jan 2026');
  const timers = vi.getTimerCount();
  await later(59_999);
  expect(times()[0]).toBe('just now');
  await later(1);
  expect(times()).toEqual(['1 min ago', '6 min ago', '2 days ago']);
  expect(vi.getTimerCount()).toBe(timers);
  hidden.mockReturnValue(true);
  fireEvent(document, new Event('visibilitychange'));
  expect(vi.getTimerCount()).toBe(timers - 1);
  await later(600_000);
  expect(times()[0]).toBe('1 min ago');
  hidden.mockReturnValue(false);
  fireEvent(document, new Event('visibilitychange'));
  await later(0);
  expect(times()[0]).toBe('11 min ago');
});

test('while the reader is further down nothing is added; the button adds it, scrolls up and hands on the focus', async () => {
  const { emit } = start({ initialActivities: [comment(1)] });
  scrolled = 400;
  for (let i = 0; i < 3; i++) emit('goal.paused', { title: `Goal ${i}`, actorName: 'Ana' });
  await frame();
  expect(rows().length).toBe(1);
  const button = screen.getByRole('button', { name: '3 new updates' });
  act(() => button.focus());
  fireEvent.click(button);
  expect(sentences()).toEqual(['Ana paused Goal 2', 'Ana paused Goal 1', 'Ana paused Goal 0', 'Comment 1']);
  expect(document.activeElement).toBe(rows()[0]);
  expect(scrollIntoView.mock.contexts).toEqual([document.querySelector('.rt-feed-top')]);
  expect(screen.queryByRole('button')).toBeNull();
});

test('what the reader did is shown at once, wherever they are', async () => {
  const { emit } = start({ initialActivities: [comment(1)] });
  scrolled = 400;
  emit('goal.paused', { pausedBy: 'me', actorName: 'Me', title: 'Goal' });
  emit('goal.resumed', { resumedBy: 'another' });
  await frame();
  expect(sentences()).toEqual(['Me paused Goal', 'Comment 1']);
  screen.getByRole('button', { name: '1 new update' });
});

test('who scrolls back to the top sees what is new without pressing anything', async () => {
  const { emit } = start();
  scrolled = 400;
  emit('goal.paused');
  await frame();
  expect(rows().length).toBe(0);
  act(() => returns?.());
  expect(rows().length).toBe(1);
  expect(screen.queryByRole('button')).toBeNull();
});

test('autoScroll keeps nothing back, and leaves the page where it is', async () => {
  const { emit } = start({ autoScroll: true });
  scrolled = 400;
  emit('goal.paused');
  await frame();
  expect(rows().length).toBe(1);
  expect(scrollIntoView).not.toHaveBeenCalled();
});

test('what was missed stands below a heading that counts it, and below what came since', async () => {
  const { server, emit } = start({ initialActivities: [comment(60)] });
  act(() => server.drop());
  for (let i = 0; i < 12; i++) emit('action.completed', { actionId: `a${i}`, completedBy: `u${i}`, actorName: 'Jo', title: `Action ${i}` }, 60_000 - i * 1000);
  await act(() => server.clock.advance(3000));
  await frame();
  emit('goal.paused', { actorName: 'Ana', title: 'Goal' });
  await frame();
  const feed = screen.getByRole('feed');
  expect(feed.children[1]?.textContent).toBe('Missed while you were away · 12');
  expect([feed.children.length, sentence(feed.children[0] as HTMLElement), sentence(feed.children[2] as HTMLElement)]).toEqual([15, 'Ana paused Goal', 'Jo completed Action 11']);
});

test('an interruption that nobody notices is no absence', async () => {
  const { server, emit } = start();
  act(() => server.drop());
  emit('goal.paused');
  await act(() => server.clock.advance(1000));
  await frame();
  expect([rows().length, screen.queryByText(/Missed/)]).toEqual([1, null]);
});

test('five alike are one row that opens', async () => {
  const { emit } = start();
  for (let i = 1; i <= 5; i++) emit('action.progress_updated', { actionId: 'a1', updatedBy: 'u1', actorName: 'Ana', title: 'Review', previousProgress: 10 * i, newProgress: 10 * i + 10 }, 6000 - 1000 * i);
  await frame();
  expect(sentences()).toEqual(['Ana updated progress 5 times: 10\u00a0% → 60\u00a0%']);
  const button = screen.getByRole('button', { name: '5 updates' });
  expect([button.getAttribute('aria-expanded'), screen.queryAllByRole('listitem').length]).toEqual(['false', 0]);
  fireEvent.click(button);
  expect(button.getAttribute('aria-expanded')).toBe('true');
  expect(screen.getAllByRole('listitem').map((item) => item.lastChild?.textContent)[0]).toBe('Ana moved Review from 50 % to 60 %');
  emit('action.progress_updated', { actionId: 'a1', updatedBy: 'u1', actorName: 'Ana', title: 'Review', previousProgress: 60, newProgress: 70 });
  await frame();
  expect([sentences(), screen.getAllByRole('listitem').length]).toEqual([['Ana updated progress 6 times: 10\u00a0% → 70\u00a0%'], 6]);
});

test('the focus stays where its article goes when it becomes part of a group', async () => {
  const { emit } = start();
  const progress = (): void => emit('action.progress_updated', { actionId: 'a1', updatedBy: 'u1' });
  progress();
  progress();
  progress();
  await frame();
  act(() => rows()[0]?.focus());
  progress();
  await frame();
  expect([rows().length, document.activeElement === rows()[0]]).toEqual([1, true]);
});

test('loading: three rows that say nothing, and only while there is nothing to show', () => {
  const { view, rerender } = start({ loading: true });
  const region = screen.getByRole('region', { name: 'Activity' });
  expect([region.getAttribute('aria-busy'), region.querySelectorAll('.rt-feed-loading > *').length]).toEqual(['true', 3]);
  expect(screen.queryByText('No activity yet')).toBeNull();
  rerender(view({ initialActivities: [comment(1)] }));
  expect([rows().length, region.querySelector('.rt-feed-loading')]).toEqual([1, null]);
  expect(screen.getByRole('feed').getAttribute('aria-busy')).toBe('true');
});

test('an error says so, offers to try again, and does not stop what happens', async () => {
  const retry = vi.fn();
  const { emit } = start({ error: { retry } });
  screen.getByText('Activity couldn’t be loaded.');
  expect(screen.queryByText('No activity yet')).toBeNull();
  fireEvent.click(screen.getByRole('button', { name: 'Try again' }));
  expect(retry).toHaveBeenCalledTimes(1);
  emit('goal.paused');
  await frame();
  expect(rows().length).toBe(1);
  screen.getByText('Activity couldn’t be loaded.');
});

test('the focus on a button that has done its work goes to the first row, or to the region where there is none', () => {
  const retry = (): void => {};
  const { view, rerender } = start({ error: { retry } });
  const press = (): void => {
    const button = screen.getByRole('button', { name: 'Try again' });
    act(() => button.focus());
    fireEvent.click(button);
  };
  press();
  rerender(view({ error: undefined, loading: true }));
  expect(document.activeElement).toBe(screen.getByRole('region'));
  const initialActivities = [comment(1), comment(2)];
  rerender(view({ initialActivities }));
  press();
  rerender(view({ error: undefined, initialActivities }));
  expect(document.activeElement).toBe(rows()[0]);
});

test('an empty feed may say something else', () => {
  start({ empty: <p>Nothing here</p> });
  screen.getByText('Nothing here');
});

test('a lost connection: the content stays, and after two seconds a line says of when it is', async () => {
  const { server } = start({ initialActivities: [comment(1)] }, { labels: { locale: 'en-GB' } });
  act(() => server.drop());
  await later(1999);
  expect(screen.queryByText(/paused/)).toBeNull();
  await later(1);
  const time = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' }).format(Date.UTC(2026, 0, 5, 9));
  screen.getByText(`Updates paused. Showing what was known at ${time}.`);
  expect(rows().length).toBe(1);
  await act(() => server.clock.advance(3000));
  expect(screen.queryByText(/paused/)).toBeNull();
});

test('earlier ones: asked for, allowed in, and the focus goes to the first of them', () => {
  const onLoadMore = vi.fn();
  const first = [comment(1), comment(2)];
  const { view, rerender } = start({ initialActivities: first, maxActivities: 2, hasMore: true, onLoadMore });
  expect(rows().map((row) => row.getAttribute('aria-setsize'))).toEqual(['-1', '-1']);
  const button = screen.getByRole('button', { name: 'Show earlier' });
  act(() => button.focus());
  fireEvent.click(button);
  expect(onLoadMore).toHaveBeenCalledTimes(1);
  rerender(view({ initialActivities: [...first, comment(3), comment(4)], hasMore: false }));
  expect(sentences()).toEqual(['Comment 1', 'Comment 2', 'Comment 3', 'Comment 4']);
  expect(document.activeElement).toBe(rows()[2]);
});

test('earlier ones do not take the focus of who has gone elsewhere', () => {
  const first = [comment(1)];
  const { view, rerender } = start({ initialActivities: first, hasMore: true, onLoadMore: () => {} });
  const elsewhere = document.body.appendChild(document.createElement('input'));
  // Safari does not focus a button that is clicked, so nothing is blurred.
  fireEvent.click(screen.getByRole('button', { name: 'Show earlier' }));
  elsewhere.focus();
  rerender(view({ initialActivities: [...first, comment(2)] }));
  expect([rows().length, document.activeElement === elsewhere]).toEqual([2, true]);
  elsewhere.remove();
});

test('Page Up and Page Down go from article to article, Tab reaches one of them', () => {
  start({ initialActivities: [comment(1), comment(2), comment(3)], renderItem: (item, content) => (item.id === 'c3' ? <input aria-label="Answer" /> : content) });
  const tabbable = (): readonly number[] => rows().map((row) => row.tabIndex);
  expect(rows().map((row) => [row.getAttribute('aria-posinset'), row.getAttribute('aria-setsize')])).toEqual([
    ['1', '3'],
    ['2', '3'],
    ['3', '3'],
  ]);
  expect(tabbable()).toEqual([0, -1, -1]);
  act(() => rows()[0]?.focus());
  expect(fireEvent.keyDown(rows()[0] as HTMLElement, { key: 'PageDown' })).toBe(false);
  expect(document.activeElement).toBe(rows()[1]);
  expect(tabbable()).toEqual([-1, 0, -1]);
  fireEvent.keyDown(rows()[1] as HTMLElement, { key: 'PageUp' });
  // At either end the page may scroll.
  expect(fireEvent.keyDown(rows()[0] as HTMLElement, { key: 'PageUp' })).toBe(true);
  expect(fireEvent.keyDown(rows()[2] as HTMLElement, { key: 'PageDown' })).toBe(true);
  expect(document.activeElement).toBe(rows()[0]);
  expect(fireEvent.keyDown(screen.getByRole('textbox'), { key: 'PageUp' })).toBe(true);
});

test('live rows are highlighted, what was there before is not', async () => {
  const { emit, unmount } = start({ initialActivities: [comment(1)] });
  emit('goal.paused');
  await frame();
  expect(rows().map((row) => row.getAttribute('data-rt-highlight'))).toEqual(['full', null]);
  await later(1600);
  expect(rows()[0]?.hasAttribute('data-rt-highlight')).toBe(false);
  emit('goal.resumed');
  await frame();
  emit('goal.paused');
  unmount();
  // The provider ends its connection in a task of its own.
  await later(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('what mounts late shows what has happened, in its first render', async () => {
  const { client, view, emit } = stage();
  await client.connect();
  emit('goal.paused', { actorName: 'Ana', title: 'Goal' });
  emit('goal.paused', { goalId: 'another' });
  const commits: number[] = [];
  render(<Profiler id="feed" onRender={() => commits.push(rows().length)} children={view()} />);
  expect(commits[0]).toBe(1);
  expect(sentences()).toEqual(['Ana paused Goal']);
});

test('another session empties it, the list that was handed in for the old one included', async () => {
  const before = [comment(1)];
  const { server, client, view, rerender, emit } = start({ initialActivities: before });
  emit('goal.paused');
  await frame();
  emit('goal.resumed');
  await act(() => client.setSession('another'));
  await frame();
  await act(() => server.clock.advance(100));
  expect(rows().length).toBe(0);
  rerender(view({ initialActivities: before, maxActivities: 60 }));
  expect(rows().length).toBe(0);
  rerender(view({ initialActivities: [comment(2)] }));
  emit('goal.paused', { actorName: 'Ana', title: 'Goal' });
  await frame();
  expect(sentences()).toEqual(['Ana paused Goal', 'Comment 2']);
});

/** A connection of which the second user can become the owner. */
const shared = async () => {
  let user = 'a';
  const server = createFakeServer({ userId: 'a' });
  const client = createTestClient(server, { sessionKey: 't/a', getToken: () => server.token().replace(' a ', ` ${user} `) });
  const view = (props?: Partial<GoalActivityFeedProps>): ReactNode => (
    <RealtimeProvider client={client}>
      <GoalActivityFeed goalId="g1" {...props} />
    </RealtimeProvider>
  );
  await client.connect();
  server.emit('goal.paused', { goalId: 'g1', actorName: 'Ana', title: 'Goal' });
  return { server, client, view, become: (other: string): void => void (user = other) };
};

test('mounted while the connection is lost, it shows nobody’s events to the next user', async () => {
  const { server, client, view, become } = await shared();
  become('b');
  server.drop();
  render(view());
  expect([client.getStatus().state, sentences()]).toEqual(['reconnecting', ['Ana paused Goal']]);
  await act(() => server.clock.advance(5000));
  await frame();
  expect([client.getStatus(), rows().length]).toMatchObject([{ state: 'connected', userId: 'b' }, 0]);
});

test.each([
  ['signed out', null, undefined],
  ['another user, from a position that is known', 't/b', { initialSequence: 1 }],
])('%s: empty at once, before there is a connection', async (_, key, options) => {
  const { server, client, view } = await shared();
  render(view());
  // Waits for a frame.
  server.emit('goal.resumed', { goalId: 'g1' });
  server.hold();
  await act(async () => client.setSession(key, options));
  expect(rows().length).toBe(0);
  await frame();
  expect(rows().length).toBe(0);
});

test('what is handed in before anybody has signed in is of whoever does', async () => {
  const { client, view } = await shared();
  client.setSession(null);
  render(view({ initialActivities: [comment(1)] }));
  await act(async () => client.setSession('t/a'));
  expect(sentences()).toEqual(['Comment 1']);
  await later(0);
  await act(async () => client.setSession('t/b'));
  expect(rows().length).toBe(0);
});

test('a list that is made anew with every render, and says the same, renders once', async () => {
  const { client, emit } = stage();
  let renders = 0;
  const List = (): ReactNode => {
    if (++renders > 50) throw new Error('endless');
    const { rows: all } = useActivityFeed({ goalId: 'g1', initialActivities: [{ ...comment(1), tags: ['risk'] }] });
    return <p>{all.map(({ key }) => key).join(' ')}</p>;
  };
  render(<RealtimeProvider client={client} children={<List />} />);
  emit('goal.paused');
  await frame();
  expect(document.querySelector('p')?.textContent).toMatch(/ c1$/);
  expect(renders).toBeLessThan(8);
});

test('a page that is hidden before its frame goes on by a timer', async () => {
  const { emit } = start();
  const ask = vi.spyOn(globalThis, 'requestAnimationFrame').mockReturnValue(7);
  emit('goal.paused');
  await later(99);
  expect([ask.mock.calls.length, rows().length]).toEqual([1, 0]);
  await later(1);
  expect(rows().length).toBe(1);
});

test('an open group at the bound stays open', async () => {
  const { emit } = start({ maxActivities: 5 });
  const more = (): void => emit('action.progress_updated', { actionId: 'a1', updatedBy: 'u1', actorName: 'Ana', title: 'Review' });
  for (let i = 0; i < 5; i++) more();
  await frame();
  fireEvent.click(screen.getByRole('button', { name: '5 updates' }));
  const [row] = rows();
  more();
  await frame();
  expect([rows()[0] === row, screen.getAllByRole('listitem').length]).toEqual([true, 5]);
});

test('another client, as of a provider with another sessionKey, is another session; another goal another feed', async () => {
  const initialActivities = [comment(1)];
  const one = stage({ initialActivities });
  const two = stage({ initialActivities });
  const { rerender } = render(one.view());
  one.emit('goal.paused');
  await frame();
  expect(rows().length).toBe(2);
  rerender(two.view());
  expect(rows().length).toBe(0);
  two.emit('goal.paused', { goalId: 'g2', actorName: 'Ana', title: 'Goal 2' });
  await frame();
  expect(rows().length).toBe(0);
  rerender(two.view({ goalId: 'g2' }));
  expect(sentences()).toEqual(['Ana paused Goal 2']);
});

test('with the flag off it shows what is handed in', async () => {
  const { view, rerender, emit } = start({ initialActivities: [comment(1)] });
  emit('goal.paused');
  await frame();
  expect(rows().length).toBe(2);
  rerender(<RealtimeProvider {...((view() as { props: RealtimeProviderProps }).props as RealtimeProviderProps)} enabled={false} />);
  expect(sentences()).toEqual(['Comment 1']);
  await later(5000);
  expect(screen.queryByText(/paused/)).toBeNull();
});

test('a thousand events: one commit in one frame, and the bound holds', async () => {
  const { view, emit } = stage();
  const commits: number[] = [];
  render(<Profiler id="feed" onRender={() => commits.push(rows().length)} children={view()} />);
  const before = commits.length;
  const timers = vi.getTimerCount();
  act(() => {
    for (let i = 0; i < 1000; i++) emit('issue.created', { issueId: `i${i}`, createdBy: `u${i % 7}` }, 1000 - i);
  });
  // A frame, and what does it where there is none.
  expect([commits.length, vi.getTimerCount()]).toEqual([before, timers + 2]);
  await frame();
  expect([commits.length - before, rows().length]).toEqual([1, 50]);
});

test('one new row renders one row', async () => {
  const rendered: string[] = [];
  const { emit } = start({
    initialActivities: [comment(1), comment(2), comment(3)],
    renderItem: (item, content) => {
      rendered.push(item.type);
      return content;
    },
  });
  rendered.length = 0;
  emit('goal.paused');
  await frame();
  expect(rendered).toEqual(['goal.paused']);
});

test('rendered on a server it is taken over without a word, in StrictMode, too', async () => {
  const complain = vi.spyOn(console, 'error');
  const on = stage({ initialActivities: [comment(2), { ...makeEvent('goal.paused', { goalId: 'g1' }), timestamp: new Date(Date.now() - 1000).toISOString() }], label: 'What happened' });
  const app = <StrictMode>{on.view()}</StrictMode>;
  const container = document.createElement('div');
  document.body.appendChild(container);
  container.innerHTML = renderToString(app);
  expect(Array.from(container.querySelectorAll('time'), (time) => time.textContent)).toEqual(['2026-01-05', '2026-01-05']);
  await later(180_000);
  const root = await act(() => hydrateRoot(container, app));
  expect(Array.from(container.querySelectorAll('time'), (time) => time.textContent)).toEqual(['3 min ago', '5 min ago']);
  on.emit('goal.resumed');
  await frame();
  expect(rows().length).toBe(3);
  screen.getByRole('region', { name: 'What happened' });
  await act(() => root.unmount());
  await later(0);
  expect(vi.getTimerCount()).toBe(0);
  expect(complain).not.toHaveBeenCalled();
});
