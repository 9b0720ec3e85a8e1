import { describe, expect, test } from 'vitest';
import { validateEvent } from '../../src/index.js';
import type { RealtimeClient, RealtimeOptions, Resync, WebSocketLike } from '../../src/index.js';
import { createFakeServer, createTestClient, makeEvent } from '../../src/testing/index.js';
import { start } from './start.js';

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
