import { readFileSync } from 'node:fs';
import { describe, expect, test, vi } from 'vitest';
import { VERSION } from '../../src/core/version.js';
import { createRealtimeClient, FatalTokenError, validateEvent } from '../../src/index.js';
import type { PageEvent, RealtimeClient, RealtimeError, RealtimeOptions, Resync, TokenReason, WebSocketLike } from '../../src/index.js';
import { createFakeServer, createTestClient, makeEvent } from '../../src/testing/index.js';

/** `lines`: where the sockets go, for a test that speaks for the server. */
const start = async (options: Partial<RealtimeOptions> = {}, { tokenLifeMs = 3_600_000, lines = [] as WebSocketLike[] } = {}) => {
  const server = createFakeServer({ userId: 'me', tokenLifeMs });
  const errors: RealtimeError[] = [];
  const resyncs: Resync[] = [];
  const heard: string[] = [];
  const socket = (url: string): WebSocketLike => lines[lines.push(server.ports.socket(url)) - 1] as WebSocketLike;
  const client = createTestClient(server, { onError: (error) => errors.push(error), onResync: (resync) => void resyncs.push(resync), ...options, ports: { socket, ...options.ports } });
  client.subscribe('*', (event) => heard.push(event.eventId));
  client.connect().catch(() => {});
  // The fake answers within the call; what is left are promises.
  await server.clock.advance(0);
  const codes = (): string[] => errors.map(({ code }) => code);
  const state = (): string => {
    const status = client.getStatus();
    return 'reason' in status ? `${status.state} ${status.reason}` : status.state;
  };
  const pings = (): number => server.sent.filter(({ action }) => action === 'ping').length;
  return { server, client, errors, resyncs, heard, codes, state, pings };
};

test('names its version', () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };
  expect(VERSION).toBe(version);
});

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

describe('the page', () => {
  test('into the back-forward cache closes, out of it reconnects at once with what was missed', async () => {
    const { server, state, heard } = await start();
    server.page('hide');
    expect([state(), server.connections]).toEqual(['reconnecting', 0]);
    server.emit('goal.paused', {}, { eventId: 'missed' });
    await server.clock.advance(600_000);
    expect(server.connections).toBe(0);
    server.page('show');
    expect([state(), heard]).toEqual(['connected', ['missed']]);
  });

  test.each<PageEvent>(['visible', 'online', 'resume', 'show'])('%s does not wait for the next attempt', async (event) => {
    const { server, state } = await start();
    server.drop();
    expect(state()).toBe('reconnecting');
    server.page(event);
    expect(state()).toBe('connected');
  });

  test.each<PageEvent>(['visible', 'online', 'offline', 'resume', 'show'])('%s asks an open connection at once; a dead one is given up', async (event) => {
    const { server, client, pings, state } = await start();
    server.page(event);
    expect(pings()).toBe(1);
    server.halfOpen();
    server.page(event);
    await server.clock.advance(9999);
    expect([pings(), state()]).toEqual([3, 'connected']);
    await server.clock.advance(1);
    // A wake does not wait for the next attempt, either.
    expect([state(), client.getStats().attempts]).toEqual(event === 'offline' ? ['reconnecting', 1] : ['connected', 2]);
  });

  test.each<PageEvent>(['visible', 'online', 'resume', 'show'])('a close that the browser reports after %s: back at once, once for each wake', async (event) => {
    const { server, client, state } = await start({ ports: { random: () => 0.9 } });
    const release = server.hold();
    server.page(event);
    server.drop();
    await server.clock.advance(0);
    release();
    expect([state(), client.getStats().attempts]).toEqual(['connected', 2]);
    server.drop();
    await server.clock.advance(0);
    expect(state()).toBe('reconnecting');
  });

  test('what came before a wake does not answer for it, even where a question is out', async () => {
    const lines: WebSocketLike[] = [];
    const { server, client, state } = await start({}, { lines });
    server.hold();
    server.page('resume');
    await server.clock.advance(1000);
    (lines[0]?.onmessage as (event: { data: string }) => void)({ data: JSON.stringify({ ...makeEvent('goal.paused'), sequence: undefined }) });
    await server.clock.advance(1000);
    server.halfOpen();
    server.page('visible');
    await server.clock.advance(10_001);
    expect([state(), client.getStats().attempts]).toEqual(['reconnecting', 2]);
  });

  test('a close after an answered wake waits as any other', async () => {
    const { server, state } = await start();
    server.page('resume');
    server.drop();
    await server.clock.advance(0);
    expect(state()).toBe('reconnecting');
  });

  test('a close is what the machine hears first after sleep: back at once', async () => {
    const { server, client, state } = await start();
    server.clock.sleep(3_600_000);
    server.drop();
    await server.clock.advance(0);
    expect([state(), client.getStats().attempts]).toEqual(['connected', 2]);
  });

  test('the first interaction after a minute of silence asks, at most once a minute', async () => {
    const { server, pings } = await start();
    server.page('interaction');
    await server.clock.advance(61_000);
    server.page('interaction');
    server.page('interaction');
    await server.clock.advance(1000);
    server.page('interaction');
    expect(pings()).toBe(1);
  });

  test('onInteraction: false', async () => {
    const { server, pings } = await start({ ping: { onInteraction: false } });
    await server.clock.advance(61_000);
    server.page('interaction');
    expect(pings()).toBe(0);
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

describe('events', () => {
  test('the meta: latency by the server’s clock, own, replayed, entity', async () => {
    const { server, client } = await start();
    const metas: unknown[] = [];
    client.subscribe('goal.*', (_, { latencyMs, own, replayed, entity }) => metas.push([latencyMs, own, replayed, entity]));
    server.emit('goal.paused', { goalId: 'g', pausedBy: 'me' }, { timestamp: new Date(server.clock.now() - 250).toISOString() });
    server.drop();
    server.emit('goal.resumed', { goalId: 'g', resumedBy: 'you' });
    server.page('visible');
    expect(metas).toEqual([
      [250, true, false, { kind: 'goal', id: 'g' }],
      [0, false, true, { kind: 'goal', id: 'g' }],
    ]);
    expect(client.getStats().latencyMs).toEqual({ p50: 250, p95: 250, p99: 250 });
  });

  test('a handler that throws or rejects stops nothing and is reported', async () => {
    const { server, client, errors, heard } = await start();
    client.subscribe('goal.paused', () => {
      throw new Error('now');
    });
    client.subscribe('goal.paused', (async () => {
      throw new Error('later');
    }) as () => void);
    const after: string[] = [];
    client.subscribe('goal.paused', (event) => after.push(event.eventId));
    server.emit('goal.paused', {}, { eventId: 'e' });
    await server.clock.advance(0);
    expect([heard, after]).toEqual([['e'], ['e']]);
    expect(errors.map(({ code, cause }) => [code, (cause as Error).message])).toEqual([
      ['HANDLER', 'now'],
      ['HANDLER', 'later'],
    ]);
  });

  test('unsubscribed while an event is told: not called any more; subscribed meanwhile: from the next one', async () => {
    const { server, client } = await start();
    const heard: string[] = [];
    const stops: (() => void)[] = [];
    client.subscribe('goal.paused', () => {
      stops.forEach((stop) => stop());
      if (!stops.length) stops.push(client.subscribe('goal.paused', () => heard.push('late')));
    });
    const aborter = new AbortController();
    client.subscribe('goal.paused', () => heard.push('signal'), { signal: aborter.signal });
    server.emit('goal.paused');
    aborter.abort();
    server.emit('goal.paused');
    expect(heard).toEqual(['signal']);
  });

  test('history: bounded, by selector and entity, forgotten with the session', async () => {
    const { server, client } = await start({ history: 3 });
    for (const id of ['a', 'b', 'a', 'b', 'a', 'c']) server.emit('goal.paused', { goalId: id });
    server.emit('issue.created');
    expect(client.recent('*').length).toBe(3);
    expect(client.recent('goal.*', { id: 'a' }).map((event) => event.data.goalId)).toEqual(['a']);
    client.setSession('other');
    expect(client.recent('*')).toEqual([]);
  });

  test('onSession: whenever a session is forgotten, by its key or by what a token says, and before an event of the next', async () => {
    let user = 'me';
    const said: string[] = [];
    let makeToken = (): string | null => null;
    const { server, client } = await start({ sessionKey: 't/me', getToken: () => makeToken() });
    makeToken = () => server.token().replace(' me ', ` ${user} `);
    await client.connect();
    client.onSession(() => said.push(`forget ${client.recent('*').length}`));
    client.subscribe('*', () => said.push('event'));
    server.emit('goal.paused');
    client.setSession('t/me');
    client.setSession(null);
    client.setSession('t/other', { initialSequence: server.head - 1 });
    await server.clock.advance(0);
    user = 'third';
    server.drop();
    await server.clock.advance(5000);
    server.emit('goal.paused');
    expect(said).toEqual(['event', 'forget 0', 'forget 0', 'event', 'forget 0', 'event']);
  });

  test('an unknown type: to onUnknown and to whoever names it, not to *; it moves the position', async () => {
    const unknown: string[] = [];
    const named: string[] = [];
    const { server, client, heard } = await start({ onUnknown: ({ type }) => unknown.push(type) });
    client.subscribe('billing.*' as never, (event: { type: string }) => named.push(event.type));
    server.emit('billing.invoice_paid' as never);
    server.emit('goal.paused', {}, { eventId: 'e' });
    expect([unknown, named, heard, client.getStats().sequence]).toEqual([['billing.invoice_paid'], ['billing.invoice_paid'], ['e'], server.head]);
  });

  test('validate: what breaks the catalogue is told, and kept back if onInvalid says so', async () => {
    const issues: string[] = [];
    let keep = true;
    const { server, heard } = await start({
      validate: validateEvent,
      onInvalid: (_, all) => {
        issues.push(...all.map(({ path }) => path));
        return keep;
      },
    });
    server.emit('goal.paused', { pausedAt: 'yesterday' }, { eventId: 'kept' });
    keep = false;
    server.emit('goal.paused', { pausedAt: 'yesterday' }, { eventId: 'dropped' });
    server.emit('goal.paused', {}, { eventId: 'good' });
    expect([issues, heard]).toEqual([['data.pausedAt', 'data.pausedAt'], ['kept', 'good']]);
  });
});

describe('state of the application', () => {
  test('a position that came with stored state: what happened since, and no first resync', async () => {
    const server = createFakeServer();
    await createTestClient(server).connect();
    const position = server.emit('goal.paused').sequence;
    server.emit('goal.resumed', {}, { eventId: 'since' });
    const resyncs: Resync[] = [];
    const heard: string[] = [];
    const client = createTestClient(server, { initialSequence: position, onResync: (resync) => void resyncs.push(resync) });
    client.subscribe('*', (event, { replayed }) => heard.push(event.eventId + replayed));
    await client.connect();
    expect([heard, resyncs]).toEqual([['sincetrue'], []]);
  });

  test('stored with state: the number of what the state took, which the position is ahead of while state is being loaded', async () => {
    const server = createFakeServer();
    const stored = { events: [] as string[], at: 0 };
    const open = (options: Partial<RealtimeOptions> = {}): RealtimeClient => {
      const client = createTestClient(server, { ...(stored.at && { initialSequence: stored.at }), ...options });
      client.subscribe('*', ({ eventId, sequence }) => {
        stored.events.push(eventId);
        stored.at = sequence;
      });
      client.connect().catch(() => {});
      return client;
    };
    const first = open({ onResync: ({ reason, sequence }) => (reason === 'first' ? void (stored.at = sequence) : new Promise(() => {})) });
    server.emit('goal.paused', {}, { eventId: 'taken' });
    server.gap();
    await server.clock.advance(2000);
    server.emit('goal.paused', {}, { eventId: 'waits' });
    expect([stored.events, first.getStats().sequence]).toEqual([['taken'], server.head]);
    // The page ends here, and is loaded anew from what it has stored.
    first.destroy();
    const resyncs: Resync[] = [];
    const second = open({ onResync: (resync) => void resyncs.push(resync) });
    expect([resyncs.map(({ reason }) => reason), second.getStats().sequence]).toEqual([['too-old'], server.head]);
    stored.at = (resyncs[0] as Resync).sequence;
    second.destroy();
    server.emit('goal.paused', {}, { eventId: 'since' });
    open();
    expect(stored).toEqual({ events: ['taken', 'since'], at: server.head });
  });

  test('later events than the resync is for are known: what lies between is fetched, long before the next keep-alive', async () => {
    const lines: WebSocketLike[] = [];
    const { server, client, resyncs } = await start({}, { lines });
    const heard: number[] = [];
    client.subscribe('*', ({ sequence }) => heard.push(sequence));
    const [first] = resyncs.splice(0);
    const { sequence } = first as Resync;
    // An answer that says no, late: the line has lost one event since, and brought the next.
    const release = server.hold();
    void client.probe();
    const line = lines[0] as WebSocketLike;
    const hear = line.onmessage as (event: { data: string }) => void;
    const { ref } = server.sent[server.sent.length - 1] as { ref: string };
    const [lost, second, third] = [server.emit('goal.paused'), server.emit('goal.paused'), server.emit('goal.paused')];
    hear({ data: JSON.stringify(third) });
    hear({ data: JSON.stringify({ type: 'pong', timestamp: third.timestamp, data: { sequence: lost.sequence, after: sequence, recovered: false, ref } }) });
    line.onmessage = null;
    release();
    line.onmessage = hear as never;
    expect([resyncs.map(({ reason, sequence: at }) => [reason, at]), heard]).toEqual([[['too-old', lost.sequence]], []]);
    await server.clock.advance(5000);
    expect(heard).toEqual([second.sequence, third.sequence]);
  });

  test('more than is kept comes while state is loaded: the first that was missed is named, whatever else came', async () => {
    const lines: WebSocketLike[] = [];
    const resyncs: Resync[] = [];
    const { server } = await start({ recovery: { maxReplay: 2 }, onResync: (resync) => (resyncs.push(resync), new Promise(() => {})) }, { lines });
    const { sequence: _, ...ephemeral } = makeEvent('goal.paused');
    (lines[0]?.onmessage as (event: { data: string }) => void)({ data: JSON.stringify({ ...ephemeral, tenantId: server.tenantId }) });
    const first = server.emit('goal.paused');
    expect(resyncs.length).toBe(1);
    const second = server.emit('goal.paused');
    expect(resyncs[1]).toEqual({ reason: 'overflow', sequence: second.sequence, missedFrom: first.sequence });
  });

  test.each([
    ['too-old', 1],
    ['too-many', 1001],
  ] as const)('%s: one resync that says what was missed', async (reason, missed) => {
    const { server, resyncs } = await start();
    const [first] = resyncs.splice(0);
    server.gap(reason);
    await server.clock.advance(5000);
    expect(resyncs).toEqual([{ reason, sequence: (first as Resync).sequence + missed, missedFrom: (first as Resync).sequence + 1 }]);
  });

  test('events wait for the promise, at most 10 s', async () => {
    const { server, heard } = await start({ onResync: () => new Promise(() => {}) });
    server.emit('goal.paused', {}, { eventId: 'e' });
    await server.clock.advance(9999);
    expect(heard).toEqual([]);
    await server.clock.advance(1);
    expect(heard).toEqual(['e']);
  });

  test('an event that overtakes the first auth.success is delivered', async () => {
    const server = createFakeServer();
    const heard: string[] = [];
    const client = createTestClient(server, {
      ports: {
        socket: (url) => {
          const socket = server.ports.socket(url);
          return new Proxy(socket, {
            set: (target, key, value: (event: { data: string }) => void) => {
              if (key !== 'onmessage') return Reflect.set(target, key, value);
              target.onmessage = ((event: { data: string }) => {
                const { type, data } = JSON.parse(event.data) as { type: string; data: { sequence: number } };
                if (type === 'auth.success') value({ data: JSON.stringify({ ...makeEvent('goal.paused'), eventId: 'early', sequence: data.sequence + 1 }) });
                value(event);
              }) as (event: never) => void;
              return true;
            },
          });
        },
      },
    });
    client.subscribe('*', (event) => heard.push(event.eventId));
    await client.connect();
    expect(heard).toEqual(['early']);
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
