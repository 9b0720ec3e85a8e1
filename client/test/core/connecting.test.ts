import { describe, expect, test } from 'vitest';
import { FatalTokenError } from '../../src/index.js';
import type { RealtimeError, TokenReason, WebSocketLike } from '../../src/index.js';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';
import { start } from './start.js';

describe('tokens', () => {
  test('null: signed out, without an error, until connect() or another session', async () => {
    let token: string | null = null;
    const { client, errors, state, server } = await start({ getToken: () => token });
    expect([state(), errors]).toEqual(['disconnected signed-out', []]);
    token = server.token();
    client.retryNow();
    expect(state()).toBe('disconnected signed-out');
    await client.connect();
    expect(state()).toBe('connected');
  });

  test('FatalTokenError stops; anything else is tried again', async () => {
    let thrown: Error = new Error('offline');
    let calls = 0;
    const { server, client, codes } = await start({
      getToken: () => {
        calls++;
        throw thrown;
      },
    });
    expect(codes()).toEqual(['TOKEN_UNAVAILABLE']);
    await server.clock.advance(2000);
    expect(calls).toBeGreaterThan(1);
    thrown = new FatalTokenError('consent');
    await server.clock.advance(60_000);
    const last = calls;
    await server.clock.advance(600_000);
    expect([calls, client.getStatus()]).toMatchObject([last, { state: 'error', error: { code: 'TOKEN_UNAVAILABLE', retryable: false, cause: thrown } }]);
  });

  test('no answer for 30 s is tried again, and the old one is told so', async () => {
    const signals: AbortSignal[] = [];
    const server = createFakeServer();
    const client = createTestClient(server, { onError: () => {}, getToken: ({ signal }) => new Promise(() => signals.push(signal)) });
    client.connect().catch(() => {});
    await server.clock.advance(31_500);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    client.destroy();
    expect(signals[1]?.aborted).toBe(true);
  });

  test('renewed at 80 % of its life by the server', async () => {
    const reasons: TokenReason[] = [];
    const server = createFakeServer({ tokenLifeMs: 100_000 });
    const client = createTestClient(server, {
      getToken: ({ reason }) => {
        reasons.push(reason);
        return server.token();
      },
    });
    await client.connect();
    await server.clock.advance(79_000);
    expect(reasons).toEqual(['connect']);
    await server.clock.advance(2000);
    expect(reasons).toEqual(['connect', 'refresh']);
    await server.clock.advance(600_000);
    expect([client.getStatus().state, client.getStats().attempts]).toEqual(['connected', 1]);
  });

  test('a renewal that ends no later is told once and tried five times more, with growing care', async () => {
    const at: number[] = [];
    const server = createFakeServer({ tokenLifeMs: 3_600_000 });
    const errors: string[] = [];
    const first = server.token();
    const client = createTestClient(server, {
      onError: ({ message }) => errors.push(message),
      getToken: () => {
        at.push(server.clock.monotonic() / 60_000);
        return first;
      },
    });
    await client.connect();
    await server.clock.advance(3_590_000);
    expect(errors).toEqual(['getToken({reason: "refresh"}) gave a token that ends no later than the present one']);
    // 12 minutes remain: 6, 3, 1.5, 0.75, 0.5 later.
    expect(at.map((minute) => Math.round(minute * 4) / 4)).toEqual([0, 48, 54, 57, 58.5, 59.25, 59.75]);
  });

  test('refused: a fresh one at once, then after a while', async () => {
    const reasons: TokenReason[] = [];
    let good = false;
    const server = createFakeServer();
    const client = createTestClient(server, {
      onError: () => {},
      getToken: ({ reason }) => {
        reasons.push(reason);
        if (!good) server.reject('UNAUTHORIZED');
        return server.token();
      },
    });
    client.connect().catch(() => {});
    expect(reasons).toEqual(['connect', 'rejected']);
    expect(client.getStatus().state).toBe('reconnecting');
    good = true;
    await server.clock.advance(2000);
    expect([reasons, client.getStatus().state]).toEqual([['connect', 'rejected', 'rejected'], 'connected']);
  });
});

describe('handshakes', () => {
  test.each([
    ['never opens', ['UNAUTHORIZED', 'TIMEOUT']],
    ['is put off', ['INTERNAL_ERROR', 'UNAUTHORIZED']],
  ])('a successor that %s has its own deadline, whatever becomes of a renewal meanwhile', async (how, codes) => {
    const server = createFakeServer();
    const lines: WebSocketLike[] = [];
    const errors: string[] = [];
    const silent = (): WebSocketLike => ({ onopen: null, onmessage: null, onclose: null, onerror: null, send: () => {}, close: () => {} });
    const client = createTestClient(server, {
      onError: ({ code }) => errors.push(code),
      ports: { socket: (url) => lines[lines.push(lines.length === 1 && how === 'never opens' ? silent() : server.ports.socket(url)) - 1] as WebSocketLike },
    });
    await client.connect();
    const say = (type: string, data: object): void => (lines[0]?.onmessage as (event: { data: string }) => void)({ data: JSON.stringify({ type, timestamp: new Date(server.clock.now()).toISOString(), data }) });
    if (how === 'is put off') server.reject('INTERNAL_ERROR');
    say('rotate', { withinMs: 0 });
    await server.clock.advance(1);
    expect(lines.length).toBe(2);
    const release = server.hold();
    server.page('resume');
    const { ref } = server.sent[server.sent.length - 1] as { ref: string };
    say('connection_error', { code: 'UNAUTHORIZED', error: 'the token has ended', reason: 'token_expired', ref });
    release();
    // Renewed, on the connection in use.
    expect(server.sent[server.sent.length - 1]).not.toHaveProperty('replaces');
    await server.clock.advance(70_000);
    expect(errors).toEqual(codes);
    expect([client.getStatus().state, client.getStats().rotations, client.getStats().reconnects]).toEqual(['connected', 1, 0]);
  });

  test('five in a row that never opened: what it may be, once, and it goes on trying', async () => {
    const server = createFakeServer();
    const errors: RealtimeError[] = [];
    let tries = 0;
    const client = createTestClient(server, {
      onError: (error) => errors.push(error),
      ports: {
        socket: () => {
          tries++;
          const socket = { onopen: null, onmessage: null, onclose: null as ((event: never) => void) | null, onerror: null, send: () => {}, close: () => {} };
          server.clock.setTimeout(() => socket.onclose && socket.onclose({ code: 1006 } as never), 10);
          return socket;
        },
      },
    });
    client.connect().catch(() => {});
    await server.clock.advance(600_000);
    expect(errors.map(({ code }) => code)).toEqual(['NEVER_OPENED']);
    expect(errors[0]?.message).toMatch(/stage.*AllowedOrigins.*connect-src.*proxy/);
    // Full jitter below 30 s: about forty in ten minutes.
    expect(tries).toBeGreaterThan(20);
    expect(tries).toBeLessThan(80);
    expect(client.getStatus()).toMatchObject({ state: 'reconnecting', phase: 'waiting', error: errors[0] });
  });

  test('an error that no close follows is the end of the try', async () => {
    const { client, state } = await start({
      ports: {
        socket: () => {
          const socket = { readyState: 0, onopen: null, onmessage: null, onclose: null, onerror: null as (() => void) | null, send: () => {}, close: () => {} };
          // A task later, as Chromium does where a Content Security Policy forbids the address.
          void Promise.resolve().then(() => {
            socket.readyState = 3;
            if (socket.onerror) socket.onerror();
          });
          return socket;
        },
      },
    });
    expect([state(), client.getStatus()]).toMatchObject(['reconnecting', { phase: 'waiting' }]);
  });

  test('a URL that the browser refuses stops', async () => {
    const cause = new SyntaxError('no URL');
    const { client } = await start({
      ports: {
        socket: () => {
          throw cause;
        },
      },
    });
    expect(client.getStatus()).toMatchObject({ state: 'error', error: { code: 'NEVER_OPENED', retryable: false, cause } });
  });

  test('one that hangs is given up after 10 s, and at once when somebody looks', async () => {
    let sockets = 0;
    const { server, codes } = await start({
      ports: {
        socket: () => {
          sockets++;
          return { onopen: null, onmessage: null, onclose: null, onerror: null, send: () => {}, close: () => {} };
        },
      },
      getToken: () => 't',
    });
    expect(sockets).toBe(1);
    await server.clock.advance(4000);
    server.page('visible');
    expect(sockets).toBe(2);
    await server.clock.advance(10_000);
    expect(codes()).toEqual(['TIMEOUT']);
  });
});
