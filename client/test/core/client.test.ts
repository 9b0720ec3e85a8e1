import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { VERSION } from '../../src/core/version.js';
import { createRealtimeClient } from '../../src/index.js';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';
import { start } from './start.js';

test('names its version', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(VERSION).toBe(version);
});

describe('what the server says', () => {
  test('FORBIDDEN stops and says so', async () => {
    const server = createFakeServer();
    server.reject('FORBIDDEN', { reason: 'upgrade' });
    const client = createTestClient(server, { onError: () => {} });
    await expect(client.connect()).rejects.toMatchObject({ code: 'FORBIDDEN', reason: 'upgrade', retryable: false });
    await server.clock.advance(600_000);
    expect([client.getStatus().state, server.sent.length]).toEqual(['error', 1]);
    await client.connect();
    expect(client.getStatus().state).toBe('connected');
  });

  test('INTERNAL_ERROR: auth again on the same connection, not before retryAfterMs', async () => {
    const server = createFakeServer();
    server.reject('INTERNAL_ERROR', { retryAfterMs: 5000 });
    const client = createTestClient(server, { onError: () => {} });
    client.connect().catch(() => {});
    await server.clock.advance(4999);
    expect(server.sent.length).toBe(1);
    await server.clock.advance(1001);
    expect([client.getStatus().state, client.getStats().attempts]).toEqual(['connected', 1]);
  });

  test("the gateway's own frames are counted, and auth is sent again", async () => {
    const server = createFakeServer();
    const release = server.hold();
    const client = createTestClient(server, { onError: () => {} });
    client.connect().catch(() => {});
    server.gatewayError();
    release();
    await server.clock.advance(3000);
    expect([client.getStats().gatewayErrors, client.getStatus().state]).toEqual([1, 'connected']);
  });

  test('an ended token: another one, and back', async () => {
    const { server, codes, state } = await start();
    server.expireToken();
    await server.clock.advance(2000);
    expect([codes(), state()]).toEqual([['UNAUTHORIZED'], 'connected']);
  });
});

describe('replaced', () => {
  test('does not reconnect by itself, but when the page is looked at', async () => {
    const { server, client, state } = await start();
    for (let i = 0; i < 20; i++) await createTestClient(server, { ports: { page: { isVisible: () => true, subscribe: () => () => {} } } }).connect();
    expect(state()).toBe('disconnected replaced');
    server.page('online');
    await server.clock.advance(600_000);
    expect(state()).toBe('disconnected replaced');
    server.page('visible');
    expect(state()).toBe('connected');
    client.destroy();
  });
});

describe('steering', () => {
  test('probe: true when nothing was missed, false when not connected or without an answer', async () => {
    const { server, client } = await start();
    expect(await client.probe()).toBe(true);
    server.halfOpen();
    const lost = client.probe();
    await server.clock.advance(20_000);
    expect(await lost).toBe(false);
    client.disconnect();
    expect(await client.probe()).toBe(false);
  });

  test('connect: rejects when aborted, when it stops, and is idempotent', async () => {
    const server = createFakeServer();
    const client = createTestClient(server, { getToken: () => new Promise(() => {}) });
    const aborter = new AbortController();
    const aborted = client.connect({ signal: aborter.signal });
    const stopped = client.connect();
    aborter.abort();
    await expect(aborted).rejects.toMatchObject({ name: 'RealtimeError', code: 'TIMEOUT' });
    client.disconnect();
    await expect(stopped).rejects.toMatchObject({ name: 'RealtimeError', message: 'Not connected: closed' });
  });

  test('disconnect keeps the position: connect brings what was missed', async () => {
    const { server, client, heard, resyncs } = await start();
    client.disconnect();
    server.emit('goal.paused', {}, { eventId: 'missed' });
    await client.connect();
    expect([heard, resyncs.length]).toEqual([['missed'], 1]);
  });

  test('a logger is told neither tokens nor payloads', async () => {
    const entries: unknown[] = [];
    const { server } = await start({ logger: (entry) => entries.push(entry) });
    server.emit('goal.paused', { goalId: 'secret-goal' });
    const text = JSON.stringify(entries);
    expect(entries.length).toBeGreaterThan(5);
    expect(text).not.toContain('secret-goal');
    expect(text).not.toContain(server.token().slice(0, 20));
  });

  test('the status is the same object until something changes', async () => {
    const { server, client } = await start();
    const status = client.getStatus();
    server.emit('goal.paused');
    server.page('visible');
    expect(client.getStatus()).toBe(status);
  });

  test('timers beyond 12 h are armed in steps', async () => {
    const delays: number[] = [];
    const server = createFakeServer({ tokenLifeMs: 90 * 86_400_000 });
    const { clock } = server;
    const client = createTestClient(server, {
      ping: { intervalMs: 80 * 86_400_000 },
      rotateAfterMs: false,
      ports: { clock: { ...clock, setTimeout: (run, ms) => (delays.push(ms), clock.setTimeout(run, ms)) }, page: { isVisible: () => false, subscribe: () => () => {} } },
    });
    await client.connect();
    expect(delays[delays.length - 1]).toBe(43_200_000);
    client.destroy();
  });
});

test('touches no browser global at import, nor when a client is made', async () => {
  const touched: string[] = [];
  for (const name of ['window', 'document', 'navigator', 'WebSocket', 'localStorage', 'location'])
    vi.stubGlobal(name, undefined), Object.defineProperty(globalThis, name, { configurable: true, get: () => void touched.push(name) });
  vi.resetModules();
  const fresh = (await import('../../src/index.js')) as { createRealtimeClient: typeof createRealtimeClient };
  await import('../../src/react/context.js');
  fresh.createRealtimeClient({ url: 'ws://x', getToken: () => null });
  for (const name of ['window', 'document', 'navigator', 'WebSocket', 'localStorage', 'location']) delete (globalThis as Record<string, unknown>)[name];
  vi.unstubAllGlobals();
  expect(touched).toEqual([]);
});
