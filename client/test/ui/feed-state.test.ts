import { expect, test } from 'vitest';
import type { RealtimeEvent } from '../../src/index.js';
import { makeEvent } from '../../src/testing/index.js';
import { rowsOf } from '../../src/ui/feed/rows.js';
import { emptyFeed, reduceFeed } from '../../src/ui/feed/state.js';
import type { Entry, FeedAction, FeedState, InitialActivity } from '../../src/ui/feed/state.js';

const at = (seconds: number): string => new Date(Date.UTC(2026, 0, 5, 9) + seconds * 1000).toISOString();
/** An event by its second. */
const event = (seconds: number, type: Parameters<typeof makeEvent>[0] = 'action.completed', data = {}): RealtimeEvent =>
  ({ ...makeEvent(type, data as never), eventId: `e${seconds}`, timestamp: at(seconds), sequence: 1000 + seconds }) as RealtimeEvent;
const arrive = (events: readonly RealtimeEvent[], { hold = false, missed = false, own = false } = {}): FeedAction => ({ do: 'arrive', hold, arrivals: events.map((e) => ({ event: e, missed, own })) });
const list = (source: readonly InitialActivity[], { hold = false, limit = 50 } = {}): FeedAction => ({ do: 'list', source, limit, hold });
const after = (...actions: FeedAction[]): FeedState => actions.reduce(reduceFeed, emptyFeed(50));
const ids = (entries: readonly Entry[]): readonly string[] => entries.map(({ id }) => id);

test('newest first by time, whatever comes first, and each once', () => {
  const s = after(arrive([event(2), event(1)]), arrive([event(3), event(2)]), list([{ id: 'mine', type: 'note', at: at(2.5), title: 'A note' }, event(1)]));
  expect(ids(s.shown)).toEqual(['e3', 'mine', 'e2', 'e1']);
  expect(reduceFeed(s, arrive([event(3)]))).toBe(s);
});

test('an entry of the application that carries the activityId is the event’s', () => {
  const comment = event(1, 'goal.activity.created', { activityId: 'a1' });
  const item = { id: 'a1', type: 'comment', at: at(1), title: 'Ana commented' };
  for (const s of [after(list([item]), arrive([comment])), after(arrive([comment]), list([item]))]) {
    expect(s.shown.length).toBe(1);
    expect(s.shown[0]).toMatchObject({ item, event: comment, heard: true });
  }
});

test('another list takes the place of the one before; what was heard stays, and speaks for itself again', () => {
  const comment = event(2, 'goal.activity.created', { activityId: 'a1' });
  const item = (id: string, seconds: number) => ({ id, type: 'comment', at: at(seconds), title: id });
  const s = after(arrive([comment]), list([item('a1', 2), item('gone', 1), event(0)]), list([item('new', 3)]));
  expect(ids(s.shown)).toEqual(['new', 'e2']);
  expect(s.shown[1]?.item).toBeUndefined();
});

test('entries are the same objects as long as nothing is said otherwise of them', () => {
  const item = { id: 'x', type: 'note', at: at(1), title: 'A note' };
  const s = after(list([item]), arrive([event(2)]));
  const again = reduceFeed(reduceFeed(s, list([{ ...item }])), arrive([event(3)]));
  expect(again.shown.slice(1)).toEqual(s.shown);
  again.shown.slice(1).forEach((entry, i) => expect(entry).toBe(s.shown[i]));
});

test('what comes while the reader is further down is kept back and counted, beyond the bound, too', () => {
  const s = after(list([], { limit: 2 }), arrive([event(1), event(2)]), arrive([event(3), event(4), event(5)], { hold: true }));
  expect(ids(s.shown)).toEqual(['e2', 'e1']);
  expect([s.newCount, s.held.length]).toEqual([3, 2]);
  expect(reduceFeed(s, arrive([event(4)], { hold: true }))).toBe(s);
  const shown = reduceFeed(s, { do: 'show' });
  expect([ids(shown.shown), shown.newCount, shown.held]).toEqual([['e5', 'e4'], 0, []]);
  expect(reduceFeed(shown, { do: 'show' })).toBe(shown);
});

test('what comes when the reader is back brings along what was kept back', () => {
  const s = after(arrive([event(1)]), arrive([event(2)], { hold: true }), arrive([event(3)]));
  expect([ids(s.shown), s.newCount]).toEqual([['e3', 'e2', 'e1'], 0]);
});

test('of a list that is loaded anew, too, only what is older than the first row moves in while the reader is further down', () => {
  const s = after(arrive([event(5)]), list([event(7), event(3)], { hold: true }));
  expect([ids(s.shown), ids(s.held), s.newCount]).toEqual([['e5', 'e3'], ['e7'], 1]);
  expect(reduceFeed(s, list([event(3)], { hold: true })).newCount).toBe(0);
});

test('missed: counted for each absence, and no longer what it was at the next one', () => {
  let s = after(arrive([event(1)]), arrive([event(2), event(3)], { missed: true }), arrive([event(4)], { missed: true }), arrive([event(5)]));
  const newest = s.shown.find((entry) => entry.absence === s.absence);
  expect([s.missed, newest?.id]).toEqual([3, 'e4']);
  expect(s.shown.map(({ isLive = false }) => isLive)).toEqual([true, false, false, false, true]);
  s = reduceFeed(s, arrive([event(6)], { missed: true }));
  expect(s.missed).toBe(1);
  s = reduceFeed(reduceFeed(s, { do: 'leave' }), arrive([event(7)], { missed: true }));
  expect([s.missed, s.shown.filter((entry) => entry.absence === s.absence).length]).toEqual([1, 1]);
});

test('another session: nothing is left, and the list of the old one does not come back', () => {
  const source = [event(1)];
  const s = after(list(source), arrive([event(2)]), arrive([event(3)], { hold: true }), { do: 'forget', source }, list(source), list(source, { limit: 100 }));
  expect([s.shown, s.held, s.newCount, s.missed, s.limit]).toEqual([[], [], 0, 0, 100]);
  expect(ids(reduceFeed(s, list([event(4)])).shown)).toEqual(['e4']);
  // What the next one may see of the same goal may well be the same.
  expect(ids(reduceFeed(s, list([...source])).shown)).toEqual(['e1']);
});

test('a list that says the same is the same, made anew or not', () => {
  const source = (): InitialActivity[] => [{ id: 'x', type: 'note', at: at(1), title: 'A note', tags: ['risk'] }, { ...event(2), data: { ...event(2).data } } as RealtimeEvent];
  const s = after(list(source()));
  expect(reduceFeed(s, list(source()))).toBe(s);
  expect(reduceFeed(s, list([{ ...source()[0], tags: ['plan'] } as InitialActivity])).shown[0]?.item?.tags).toEqual(['plan']);
});

test('what the reader did is not kept back', () => {
  const s = after(arrive([event(1)]), arrive([event(2)], { hold: true }), arrive([event(3)], { hold: true, own: true }));
  expect([ids(s.shown), ids(s.held), s.newCount]).toEqual([['e3', 'e1'], ['e2'], 1]);
});

test('what the list has and an event brings, too, is no news, and stays when the list drops it', () => {
  const s = after(list([event(1)]), arrive([event(1)]));
  expect([s.shown.length, s.shown[0]?.isLive]).toEqual([1, undefined]);
  expect(ids(reduceFeed(s, list([])).shown)).toEqual(['e1']);
});

test('a larger bound brings back what the list has', () => {
  const source = [event(1), event(2), event(3)];
  const s = after(list(source, { limit: 2 }));
  expect(ids(s.shown)).toEqual(['e3', 'e2']);
  expect(ids(reduceFeed(s, list(source, { limit: 4 })).shown)).toEqual(['e3', 'e2', 'e1']);
});

test('in 150 random interleavings: in order, each once, bounded, and in the end the newest of all', () => {
  for (let seed = 1; seed <= 150; seed++) {
    let random = seed * 7919;
    const below = (n: number): number => (random = (random * 16807) % 2147483647) % n;
    const limit = 5 + below(20);
    const told = new Map<string, RealtimeEvent>();
    const some = (): RealtimeEvent[] =>
      Array.from({ length: below(6) }, () => {
        const e = event(below(60));
        told.set(e.eventId, e);
        return e;
      });
    // A list only grows here: what it drops would be gone.
    let source: RealtimeEvent[] = [];
    let s = reduceFeed(emptyFeed(limit), list(source, { limit }));
    for (let n = 0; n < 30; n++) {
      const hold = below(2) === 0;
      const actions: (() => FeedAction)[] = [
        () => arrive(some(), { hold, missed: below(3) === 0 }),
        () => list((source = [...source, ...some()]), { hold, limit }),
        () => ({ do: 'recall', events: some() }),
        () => ({ do: 'leave' }),
        () => ({ do: 'show' }),
      ];
      s = reduceFeed(s, (actions[below(5)] as () => FeedAction)());
      const all = ids([...s.shown, ...s.held]);
      expect(new Set(all).size).toBe(all.length);
      expect(s.shown.length).toBeLessThanOrEqual(limit);
      expect(s.held.length).toBeLessThanOrEqual(limit);
      expect(s.newCount).toBeGreaterThanOrEqual(s.held.length);
      expect(s.newCount > 0).toBe(s.held.length > 0);
      for (const entries of [s.shown, s.held]) expect(entries.map(({ time }) => time)).toEqual(entries.map(({ time }) => time).sort((a, b) => b - a));
    }
    s = reduceFeed(s, { do: 'show' });
    const newest = Array.from(told.values(), (e) => e.sequence).sort((a, b) => b - a);
    expect(s.shown.map((entry) => entry.event?.sequence)).toEqual(newest.slice(0, limit));
  }
});

const progress = (seconds: number, data = {}): RealtimeEvent => event(seconds, 'action.progress_updated', { updatedBy: 'ana', actionId: 'a1', ...data });
const sizes = (...events: RealtimeEvent[]): readonly number[] => rowsOf(after(arrive(events)).shown).map(({ entries }) => entries.length);

test('four alike by one person within two minutes are one row, three are three', () => {
  expect(sizes(progress(0), progress(10), progress(20))).toEqual([1, 1, 1]);
  expect(sizes(progress(0), progress(10), progress(20), progress(30))).toEqual([4]);
  expect(sizes(progress(0), progress(10), progress(20), progress(120))).toEqual([4]);
  expect(sizes(progress(0), progress(10), progress(20), progress(121))).toEqual([1, 1, 1, 1]);
  expect(sizes(event(40, 'goal.paused'), progress(30), progress(20), progress(10), progress(0), event(-5, 'goal.resumed'))).toEqual([1, 4, 1]);
});

test('alike is: the same type, person and, where numbers follow each other, entity', () => {
  expect(sizes(progress(0), progress(1), progress(2), progress(3, { updatedBy: 'mo' }))).toEqual([1, 1, 1, 1]);
  expect(sizes(progress(0), progress(1), progress(2), progress(3, { actionId: 'a2' }))).toEqual([1, 1, 1, 1]);
  expect(sizes(...[0, 1, 2, 3].map((n) => event(n, 'action.created', { actionId: `a${n}` })))).toEqual([4]);
  expect(sizes(...[0, 1, 2, 3].map((n) => event(n, 'goal.activity.created', { activityId: `a${n}` })))).toEqual([1, 1, 1, 1]);
});

test('a group grows at its top, and keeps its key', () => {
  const s = after(arrive([0, 1, 2, 3].map((n) => progress(n))));
  const grown = rowsOf(reduceFeed(s, arrive([progress(4)])).shown);
  expect(grown.map(({ key, entries }) => [key, entries.length])).toEqual([['e0', 5]]);
  expect(rowsOf(s.shown)[0]?.key).toBe('e0');
});

test('a group at the bound loses its oldest entry with every new one, and keeps its key; a row of the lost entry has its own', () => {
  const all = [0, 1, 2, 3, 4].map((n) => progress(n));
  const s = after(list([], { limit: 5 }), arrive(all), arrive([progress(5)]), arrive([progress(6)]));
  expect(s.rows.map(({ key, entries }) => [key, ids(entries)])).toEqual([['e0', ['e6', 'e5', 'e4', 'e3', 'e2']]]);
  const more = reduceFeed(s, list([{ id: 'e0', type: 'note', at: at(0), title: 'A note' }], { limit: 10 }));
  expect(more.rows.map(({ key }) => key)).toEqual(['e2', 'e0']);
});

test('a group parted in two is two rows, each with a key of its own', () => {
  const s = after(list([], { limit: 8 }), arrive([0, 1, 2, 3, 4, 6, 7, 8].map((n) => progress(n))), arrive([progress(9)]));
  const parted = reduceFeed(s, list([{ id: 'note', type: 'note', at: at(5), title: 'A note' }], { limit: 10 }));
  expect(parted.rows.map(({ key, entries }) => [key, entries.length])).toEqual([
    ['e6', 4],
    ['note', 1],
    ['e0', 4],
  ]);
});
