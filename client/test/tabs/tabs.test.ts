import { expect, test, vi } from 'vitest';
import type { LogEntry, RealtimeOptions } from '../../src/index.js';
import { createBrowser } from './browser.js';
import type { Tab } from './browser.js';

const states = (tabs: readonly Tab[]): string[] => Array.from(new Set(tabs.map(({ client }) => client.getStatus().state)));
const tokens = (tabs: readonly Tab[]): number[] => tabs.map((tab) => tab.tokens).filter((n) => n > 0);
const forty = (seed = 1) => {
  const browser = createBrowser(seed);
  const tabs = Array.from({ length: 40 }, () => browser.open());
  /** Publishes, and says what tabs got that do not have exactly these, in order, since they were last asked. */
  const astray = async (count: number, those = tabs, wait = 1000): Promise<number[][]> => {
    const numbers = Array.from({ length: count }, browser.publish);
    await browser.clock.advance(wait);
    return those.map(({ heard }) => heard.splice(0)).filter((heard) => JSON.stringify(heard) !== JSON.stringify(numbers));
  };
  return { browser, tabs, astray };
};

test('40 tabs: one connection and one token within 60 s, and every event in every tab, once and in order', async () => {
  const { browser, tabs, astray } = forty();
  await browser.clock.advance(60_000);
  expect([states(tabs), browser.connects, tokens(tabs), browser.locks]).toEqual([['connected'], 1, [1], [1, 39]]);
  expect(tabs.every(({ resyncs }) => resyncs.length === 1 && resyncs[0]?.reason === 'first')).toBe(true);
  expect(await astray(5)).toEqual([]);
  // Four hours: the leader alone renews and hands over, and nobody sees it.
  await browser.clock.advance(14_400_000);
  expect([states(tabs), browser.connects, tokens(tabs).length]).toEqual([['connected'], 1 + (tabs.find((tab) => tab.tokens) as Tab).client.getStats().rotations, 1]);
  expect(browser.connects).toBeGreaterThan(2);
  expect(await astray(5)).toEqual([]);
  expect(tabs.flatMap(({ errors }) => errors)).toEqual([]);
});

test.each([1, 2, 3, 4, 5])('the leader is closed: one further connection, and nothing is missed (seed %i)', async (seed) => {
  const { browser, tabs, astray } = forty(seed);
  await browser.clock.advance(60_000);
  const leader = tabs.find((tab) => tab.tokens) as Tab;
  leader.kill();
  const rest = tabs.filter((tab) => tab !== leader);
  expect(await astray(3, rest, 60_000)).toEqual([]);
  expect([states(rest), browser.connects, tokens(rest)]).toEqual([['connected'], 2, [1]]);
  expect(rest.flatMap(({ errors }) => errors)).toEqual([]);
});

test.each([1, 2, 3, 4, 5])('the leader freezes and says nothing: replaced within 60 s; thawed it follows (seed %i)', async (seed) => {
  const { browser, tabs, astray } = forty(seed);
  await browser.clock.advance(60_000);
  const leader = tabs.find((tab) => tab.tokens) as Tab;
  leader.freeze();
  const rest = tabs.filter((tab) => tab !== leader);
  expect(await astray(3, rest, 60_000)).toEqual([]);
  const settled = browser.connects;
  expect([states(rest), settled, tokens(rest).length]).toEqual([['connected'], 2, 1]);
  await browser.clock.advance(600_000);
  leader.thaw();
  await browser.clock.advance(60_000);
  expect([states(tabs), browser.connects, browser.server.connections().length, leader.tokens]).toEqual([['connected'], settled, 1, 1]);
  leader.heard.length = 0;
  expect(await astray(3)).toEqual([]);
});

test('a tab that looks finds a frozen leader within ten seconds', async () => {
  const browser = createBrowser();
  const leader = browser.open();
  await browser.clock.advance(1000);
  const other = browser.open();
  await browser.clock.advance(1000);
  leader.freeze();
  other.tell('visible');
  await browser.clock.advance(10_001 + 1000 + 4000 + 200);
  expect([other.client.getStatus().state, other.tokens]).toEqual(['connected', 1]);
});

test('a leader that is told it will be frozen lets go at once', async () => {
  const browser = createBrowser();
  const leader = browser.open();
  await browser.clock.advance(1000);
  const other = browser.open();
  await browser.clock.advance(1000);
  leader.tell('freeze');
  leader.freeze();
  await browser.clock.advance(200);
  expect([other.client.getStatus().state, other.tokens]).toEqual(['connected', 1]);
  leader.thaw();
  leader.tell('resume');
  await browser.clock.advance(200);
  expect([leader.client.getStatus().state, leader.tokens, browser.connects]).toEqual(['connected', 1, 2]);
});

test('all look at once: one question for the leader and one for all others; each has its answer', async () => {
  const { browser, tabs } = forty();
  await browser.clock.advance(60_000);
  tabs.forEach((tab) => tab.tell('online'));
  await browser.clock.advance(4000);
  expect(browser.pings).toBe(2);
  await browser.clock.advance(60_000);
  expect([browser.pings, states(tabs), browser.connects]).toEqual([2, ['connected'], 1]);
  const probed = tabs.find((tab) => !tab.tokens)?.client.probe();
  await browser.clock.advance(1000);
  expect([await probed, browser.pings]).toEqual([true, 3]);
});

test('a tab with a position from before gets what followed', async () => {
  const browser = createBrowser();
  const first = browser.open();
  await browser.clock.advance(1000);
  const numbers = Array.from({ length: 150 }, browser.publish);
  await browser.clock.advance(1000);
  const late = browser.open({ initialSequence: numbers[4] as number });
  await browser.clock.advance(10_000);
  expect([late.resyncs, late.heard, late.tokens, late.client.getStatus().state]).toEqual([[], numbers.slice(5), 0, 'connected']);
  expect([first.heard, browser.connects]).toEqual([numbers, 1]);
});

test('the log begins anew: every tab is told once, and goes on from there', async () => {
  const { browser, tabs, astray } = forty();
  await browser.clock.advance(60_000);
  browser.clock.jump(3_600_000);
  browser.server.restart('a');
  const before = browser.publish();
  for (const connection of browser.server.connections()) connection.end();
  await browser.clock.advance(30_000);
  expect(new Set(tabs.map(({ resyncs }) => resyncs.map(({ reason }) => reason).join()))).toEqual(new Set(['first,log-restarted']));
  expect(new Set(tabs.map(({ resyncs }) => resyncs[1]?.sequence))).toEqual(new Set([before]));
  tabs.forEach(({ heard }) => heard.splice(0));
  expect(await astray(3)).toEqual([]);
  const late = browser.open();
  await browser.clock.advance(5000);
  expect(late.resyncs).toMatchObject([{ reason: 'first', sequence: before + 3 }]);
});

test('an outage: all lose it, all come back, with what was missed', async () => {
  const { browser, tabs } = forty();
  await browser.clock.advance(60_000);
  browser.outage(true);
  await browser.clock.advance(1000);
  expect(states(tabs)).toEqual(['reconnecting']);
  const missed = Array.from({ length: 3 }, browser.publish);
  await browser.clock.advance(120_000);
  browser.outage(false);
  await browser.clock.advance(40_000);
  expect([states(tabs), tokens(tabs).length, browser.server.connections().length]).toEqual([['connected'], 1, 1]);
  expect(tabs.every(({ heard }) => JSON.stringify(heard) === JSON.stringify(missed))).toBe(true);
});

test('replaced by another device: all tabs stop, and the one that is looked at comes back', async () => {
  const { browser, tabs } = forty();
  await browser.clock.advance(60_000);
  for (const connection of browser.server.connections()) connection.end({ code: 'FORBIDDEN', reason: 'replaced', error: 'another' });
  await browser.clock.advance(60_000);
  expect([states(tabs), browser.connects]).toEqual([['disconnected'], 1]);
  const looked = tabs[7] as Tab;
  looked.tell('visible');
  await browser.clock.advance(1000);
  expect([looked.client.getStatus().state, browser.connects]).toEqual(['connected', 2]);
});

test('what the server says about the user stops every tab', async () => {
  const { browser, tabs } = forty();
  await browser.clock.advance(60_000);
  for (const connection of browser.server.connections()) connection.end({ code: 'FORBIDDEN', reason: 'session_ended', error: 'the session has ended' });
  await browser.clock.advance(60_000);
  expect([states(tabs), browser.connects, browser.locks]).toEqual([['error'], 1, [0, 0]]);
});

test('another user, another tenant and another URL share nothing', async () => {
  const browser = createBrowser();
  browser.open();
  browser.open({ sessionKey: 'a/v' });
  browser.open({ sessionKey: 'b/u' });
  browser.open({ url: 'ws://other' });
  await browser.clock.advance(10_000);
  expect([browser.connects, browser.locks]).toEqual([4, [4, 0]]);
});

test('disconnected, signed out or another user: the lock goes to the next tab', async () => {
  const browser = createBrowser();
  const one = browser.open();
  const two = browser.open();
  await browser.clock.advance(10_000);
  one.client.disconnect();
  await browser.clock.advance(5000);
  expect([two.client.getStatus().state, one.tokens, two.tokens, browser.locks]).toEqual(['connected', 1, 1, [1, 0]]);
  two.client.setSession('a/other');
  void one.client.connect().catch(() => {});
  await browser.clock.advance(5000);
  expect([browser.locks, one.client.getStatus().state]).toEqual([[2, 0], 'connected']);
  one.client.setSession(null);
  two.client.destroy();
  await browser.clock.advance(5000);
  expect([browser.locks, browser.server.connections().length]).toEqual([[0, 0], 0]);
});

test('without Web Locks or without a session each tab has its own connection, and says so once', async () => {
  const browser = createBrowser();
  const entries: LogEntry[] = [];
  const tab = browser.open({ sessionKey: undefined, logger: (entry) => entry.event === 'not-shared' && entries.push(entry) });
  browser.open();
  await browser.clock.advance(7_200_000);
  expect([tab.client.getStatus().state, tab.tokens > 1, entries.length]).toEqual(['connected', true, 1]);
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
  const bare = createBrowser();
  const [a, b] = [bare.open({ ports: { tabs: undefined } }), bare.open({ ports: { tabs: undefined } })];
  await bare.clock.advance(7_200_000);
  expect([a.client.getStatus().state, b.client.getStatus().state, bare.connects >= 2]).toEqual(['connected', 'connected', true]);
  expect(warn.mock.calls).toEqual(Array(2).fill(['Realtime is not shared between tabs: there are no Web Locks, or this is no secure context']));
  warn.mockRestore();
});

test('where every lock is refused, as to a page without an origin, each tab has its own connection', async () => {
  const browser = createBrowser();
  const refusing = { locks: { request: () => Promise.reject(new Error('SecurityError')) }, channel: () => ({ onmessage: null, postMessage() {}, close() {} }) };
  const said: unknown[] = [];
  const options: Partial<RealtimeOptions> = { ports: { tabs: refusing }, logger: ({ event, fields }) => void (event === 'not-shared' && said.push(fields.reason)) };
  const tabs = [browser.open(options), browser.open(options)];
  await browser.clock.advance(60_000);
  expect([states(tabs), tokens(tabs), browser.connects]).toEqual([['connected'], [1, 1], 2]);
  expect(said).toEqual(Array(2).fill('the browser refuses this page a lock'));
});
