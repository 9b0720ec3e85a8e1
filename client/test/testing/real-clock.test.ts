import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('clock: real goes on by itself, and a client on it reconnects, renews and wakes', async () => {
  const server = createFakeServer({ clock: 'real', tokenLifeMs: 100_000 });
  const client = createTestClient(server);
  const heard: string[] = [];
  client.subscribe('*', ({ eventId }) => heard.push(eventId));
  await client.connect();
  expect(server.clock.now()).toBe(Date.now());
  server.drop();
  server.emit('goal.paused', {}, { eventId: 'missed' });
  expect(heard).toEqual([]);
  await vi.advanceTimersByTimeAsync(1000);
  expect(heard).toEqual(['missed']);
  await vi.advanceTimersByTimeAsync(300_000);
  expect([client.getStatus().state, client.getStats().attempts]).toEqual(['connected', 2]);

  server.halfOpen();
  void server.sleep(60_000);
  await vi.advanceTimersByTimeAsync(10_001);
  expect(server.clock.now()).toBe(Date.now() + 60_000);
  expect([client.getStatus().state, client.getStats().attempts]).toEqual(['connected', 3]);

  client.destroy();
  const waited = server.clock.advance(500);
  await vi.advanceTimersByTimeAsync(500);
  await waited;
  // The server's own, which ends connections with their tokens.
  expect(server.clock.pending).toBe(1);
});
