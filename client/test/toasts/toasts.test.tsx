// @vitest-environment jsdom
import { cleanup, render } from '@testing-library/react';
import { toast } from 'sonner';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RealtimeProvider } from '../../src/react/index.js';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';
import { realtimeToasts, useRealtimeToasts, wireRealtimeToasts } from '../../src/toasts/index.js';
import type { ToastOptions } from '../../src/toasts/index.js';
import { EventTypes } from '../../src/index.js';
import { samples } from '../../src/generated/samples.js';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
/** What sonner shows now: its own list, not a mock of it. */
const shown = (): unknown[] => toast.getToasts().map((t) => ('title' in t ? t.title : undefined));

beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout'] }));
afterEach(() => {
  cleanup();
  toast.dismiss();
  vi.useRealTimers();
  vi.restoreAllMocks();
});
const start = async (options?: ToastOptions) => {
  const server = createFakeServer({ userId: 'me' });
  const client = createTestClient(server);
  const stop = wireRealtimeToasts(client, options);
  await client.connect();
  return { server, client, stop };
};

test('one function for every type, in words and never an id', () => {
  realtimeToasts.issueCreated({ ...samples['issue.created'], actorName: 'Ana', title: 'It breaks' });
  realtimeToasts.actionStatusChanged({ ...samples['action.status_changed'], actorName: undefined, title: undefined } as never);
  expect(shown()).toEqual(['Ana reported It breaks', 'Someone set an action to in progress']);
  expect(Object.keys(realtimeToasts).length).toBe(Object.keys(EventTypes).length);
});

test('own changes none, and only the types that are asked for', async () => {
  const { server } = await start({ only: ['goal.paused'] });
  server.emit('goal.paused', { pausedBy: 'me', actorName: 'Me' });
  server.emit('goal.resumed', { resumedBy: 'you' });
  server.emit('goal.paused', { pausedBy: 'you', actorName: 'You', title: 'G' });
  expect(shown()).toEqual(['You paused G']);
});

test('more than three in a second become one, which counts on', async () => {
  const { server } = await start();
  for (let i = 0; i < 3; i++) server.emit('goal.paused');
  expect(shown().length).toBe(3);
  server.emit('goal.paused');
  expect(shown()).toEqual(['4 updates']);
  server.emit('goal.paused');
  expect(shown()).toEqual(['5 updates']);
  await vi.advanceTimersByTimeAsync(1100);
  server.emit('goal.resumed', { actorName: 'Ana', title: 'G' });
  expect(shown()).toEqual(['5 updates', 'Ana resumed G']);
});

test('what was missed: one summary', async () => {
  const { server } = await start();
  server.drop();
  for (let i = 0; i < 12; i++) server.emit('goal.paused');
  await server.clock.advance(1000);
  await vi.advanceTimersByTimeAsync(500);
  expect(shown()).toEqual(['12 updates while you were away']);
});

test('a hidden page stays quiet', async () => {
  const { server } = await start();
  vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
  server.emit('goal.paused');
  expect(shown()).toEqual([]);
});

test('a new session takes the toasts of the old one away, and so does the end', async () => {
  const { server, client, stop } = await start();
  server.emit('goal.paused');
  expect(shown().length).toBe(1);
  client.setSession('another');
  expect(shown()).toEqual([]);
  server.emit('goal.paused');
  stop();
  expect(shown()).toEqual([]);
});

test('the hook knows the names of the provider', () => {
  const server = createFakeServer();
  const client = createTestClient(server);
  const App = (): null => {
    useRealtimeToasts();
    return null;
  };
  render(
    <RealtimeProvider client={client} resolveUser={(id) => (id === 'u7' ? { name: 'Ben' } : undefined)} resolveEntity={({ id }) => ({ title: 'Goal ' + id })}>
      <App />
    </RealtimeProvider>,
  );
  server.emit('goal.paused', { goalId: 'g1', pausedBy: 'u7' });
  expect(shown()).toEqual(['Ben paused Goal g1']);
});
