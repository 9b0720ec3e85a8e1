// @vitest-environment jsdom
import { cleanup, render } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { invalidateOnEvents, rule, useRealtimeInvalidation } from '../../src/query/index.js';
import { createFakeServer, createTestClient, MockRealtimeProvider } from '../../src/testing/index.js';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});
type Key = readonly string[];

const start = async (paused?: () => boolean) => {
  const server = createFakeServer({ userId: 'me' });
  const client = createTestClient(server);
  const calls: [readonly Key[], string][] = [];
  const stop = invalidateOnEvents<Key>(client, {
    rules: [rule('goal.*', (event) => [['goals'], ['goals', event.data.goalId]]), rule(['issue.created'], (event) => [['issues', event.data.issueId]])],
    invalidate: (keys, reason) => void calls.push([keys, reason]),
    paused,
  });
  await client.connect();
  await vi.advanceTimersByTimeAsync(2000);
  expect(calls.splice(0)).toEqual([[[], 'resync']]);
  return { server, calls, stop };
};

test('equal keys once, after a quarter of a second of quiet', async () => {
  const { server, calls } = await start();
  server.emit('goal.paused', { goalId: 'g1' });
  await vi.advanceTimersByTimeAsync(249);
  server.emit('goal.resumed', { goalId: 'g1' });
  server.emit('issue.created', { issueId: 'i1' });
  await vi.advanceTimersByTimeAsync(249);
  expect(calls).toEqual([]);
  await vi.advanceTimersByTimeAsync(1);
  expect(calls).toEqual([[[['goals'], ['goals', 'g1'], ['issues', 'i1']], 'event']]);
});

test('at the latest after a second', async () => {
  const { server, calls } = await start();
  for (let i = 0; i < 10; i++) {
    server.emit('goal.paused', { goalId: 'g' + i });
    await vi.advanceTimersByTimeAsync(100);
  }
  expect(calls.map(([keys]) => keys.length)).toEqual([11]);
});

test('a resync covers what waits, in one call within two seconds', async () => {
  const { server, calls } = await start();
  server.emit('goal.paused');
  server.gap();
  await server.clock.advance(2000);
  server.emit('goal.resumed');
  await vi.advanceTimersByTimeAsync(2000);
  expect(calls).toEqual([[[], 'resync']]);
});

test("the user's own events are left out while an update is under way", async () => {
  let busy = true;
  const { server, calls } = await start(() => busy);
  server.emit('goal.paused', { goalId: 'mine', pausedBy: 'me' });
  server.emit('goal.paused', { goalId: 'yours', pausedBy: 'you' });
  busy = false;
  server.emit('goal.resumed', { goalId: 'later', resumedBy: 'me' });
  await vi.advanceTimersByTimeAsync(250);
  expect(calls).toEqual([[[['goals'], ['goals', 'yours'], ['goals', 'later']], 'event']]);
});

test('nothing after it has ended', async () => {
  const { server, calls, stop } = await start();
  server.emit('goal.paused');
  stop();
  await vi.advanceTimersByTimeAsync(2000);
  expect(calls).toEqual([]);
});

test('the hook calls the newest invalidate', async () => {
  const server = createFakeServer();
  const calls: string[] = [];
  const App = ({ name }: { name: string }): null => {
    useRealtimeInvalidation<Key>({ rules: [rule('goal.*', () => [[name]])], invalidate: (keys, reason) => void calls.push(name + reason + JSON.stringify(keys)) });
    return null;
  };
  const ui = (name: string) => (
    <MockRealtimeProvider server={server}>
      <App name={name} />
    </MockRealtimeProvider>
  );
  const { rerender } = render(ui('a'));
  rerender(ui('b'));
  await vi.advanceTimersByTimeAsync(2000);
  server.emit('goal.paused');
  await vi.advanceTimersByTimeAsync(250);
  expect(calls).toEqual(['bresync[]', 'bevent[["b"]]']);
});
