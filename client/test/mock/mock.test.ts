import { writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
// @ts-expect-error it has no types
import { JSDOM } from 'jsdom';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createRealtimeClient } from '../../src/core/client.js';
import type { RealtimeClient, RealtimeOptions, Resync, WebSocketLike } from '../../src/core/options.js';
import { EventTypes } from '../../src/generated/events.js';
import type { RealtimeEvent } from '../../src/generated/events.js';
import { parseCommand, parseScenario, typesOf } from '../../src/mock/commands.js';
import { durationOf } from '../../src/mock/pages.js';
import { buildMock, runMock, startMock } from './process.js';
import type { MockProcess } from './process.js';

const { WebSocket: BrowserSocket } = new (JSDOM as new (html: string, options: object) => { readonly window: { readonly WebSocket: typeof WebSocket } })('', { url: 'http://localhost/' }).window;

let built: Awaited<ReturnType<typeof buildMock>>;
const ending: (() => unknown)[] = [];
beforeAll(async () => {
  built = await buildMock();
});
afterAll(async () => {
  for (const end of ending) await end();
  built.remove();
});
const start = async (...args: string[]): Promise<MockProcess> => {
  const mock = await startMock(built.program, ...args);
  ending.unshift(() => mock.end());
  return mock;
};

/** The package's client on a mock server, with what it was told. */
const clientOf = (mock: MockProcess, tenant: string, options: Partial<RealtimeOptions> = {}) => {
  const events: RealtimeEvent[] = [];
  const resyncs: Resync['reason'][] = [];
  const reasons: string[] = [];
  const changed = new Set<() => void>();
  const tell = (): void => changed.forEach((check) => check());
  const client: RealtimeClient = createRealtimeClient({
    url: mock.url,
    getToken: ({ reason }) => (reasons.push(reason), mock.token(tenant, 'ana')),
    onResync: ({ reason }) => (resyncs.push(reason), tell()),
    ...options,
    ports: { socket: (url) => new BrowserSocket(url) as unknown as WebSocketLike, random: () => 0 },
  });
  client.subscribe('*', (event) => (events.push(event), tell()));
  client.onStatus(tell);
  ending.unshift(() => client.destroy());
  const until = (condition: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const check = (): void => {
        if (condition()) resolve(void changed.delete(check));
      };
      changed.add(check);
      check();
    });
  return { client, events, resyncs, reasons, until };
};

describe('the mock server', { timeout: 60_000 }, () => {
  test('sends events of every type at its rate, the same ones for the same seed', async () => {
    const runs = await Promise.all(
      [1, 2].map(async () => {
        const mock = await start('--rate=200', '--seed=11');
        const { client, events, until } = clientOf(mock, 'demo', { onInvalid: () => false });
        await client.connect();
        await until(() => events.length >= 100);
        return events.slice(0, 100).map(({ type, sequence }) => [type, sequence - (events[0] as RealtimeEvent).sequence]);
      }),
    );
    expect(new Set((runs[0] as [string, number][]).map(([type]) => type))).toEqual(new Set(Object.values(EventTypes)));
    expect((runs[0] as [string, number][]).map(([, n]) => n)).toEqual(Array.from({ length: 100 }, (_, i) => i));
    expect(runs[1]).toEqual(runs[0]);
  });

  test('emit, drop, gap and expire do to a client what their names say', async () => {
    const mock = await start('--rate=0');
    const { client, events, resyncs, reasons, until } = clientOf(mock, 'demo');
    await client.connect();
    await until(() => resyncs.length === 1);
    mock.tell('emit goal.completed {"goalId":"g9","completedBy":"zoe","eventId":"x1","correlationId":"c1"}');
    await until(() => events.length === 1);
    expect(events[0]).toMatchObject({ type: 'goal.completed', eventId: 'x1', correlationId: 'c1', tenantId: 'demo', data: { goalId: 'g9', tenantId: 'demo' } });
    expect(events[0]?.data).not.toHaveProperty('actorName');

    mock.tell('drop');
    await mock.said('cut 1 connections');
    mock.tell('emit goal.paused');
    await until(() => events.length === 2); // missed, and replayed
    expect(resyncs).toEqual(['first']);

    mock.tell('gap');
    await until(() => resyncs.length === 2);
    expect(resyncs[1]).toBe('too-old');

    mock.tell('expire');
    await mock.said('closed 1 connections');
    await until(() => reasons.length >= 4 && client.getStatus().state === 'connected');
    mock.tell('emit goal.resumed');
    await until(() => events.length === 3);
    expect(events.map(({ type }) => type)).toEqual(['goal.completed', 'goal.paused', 'goal.resumed']);
  });

  test('what the catalogue refuses is not sent, and said', async () => {
    const mock = await start('--rate=0');
    mock.tell('emit goal.completed {"goalId":7}');
    await mock.said('emit goal.completed: data.goalId must be a string');
    mock.tell(`emit goal.created {"description":"${'x'.repeat(33_000)}"}`);
    await mock.said('over 32768 bytes');
    mock.tell('emit goal.created');
    await mock.said('no client has authenticated yet');
    mock.tell('drop everything');
    await mock.said('"drop everything" is no command; there are emit');
  });

  test('a scenario begins with the first client', async () => {
    const file = join(built.folder, 'scenario.txt');
    writeFileSync(file, '# as a morning goes\nemit goal.created {"title":"Ship"}\nwait 20\n\ndrop\nemit goal.completed\n');
    const mock = await start('--scenario', file);
    const { client, events, until } = clientOf(mock, 'demo');
    await client.connect();
    await until(() => events.length === 2);
    expect(events.map(({ type }) => type)).toEqual(['goal.created', 'goal.completed']);
    await mock.said('the scenario has ended');
  });

  test('its pages are the local stack\'s', async () => {
    const mock = await start('--rate=0');
    const get = (path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<readonly [number | undefined, string, string | undefined]> =>
      new Promise((resolve, reject) => {
        request({ port: mock.port, host: '127.0.0.1', path, method, headers }, (response) => {
          let text = '';
          response.on('data', (chunk) => (text += String(chunk)));
          response.on('end', () => resolve([response.statusCode, text, response.headers['access-control-allow-origin']]));
        })
          .on('error', reject)
          .end();
      });
    const token = '/_local/token?tenant=acme&user=ana';
    expect(await get('/_health')).toEqual([200, 'ok\n', undefined]);
    const [status, text, allow] = await get(token + '&expires=60s', { Origin: 'http://localhost:3000' });
    expect([status, allow]).toEqual([200, 'http://localhost:3000']);
    expect(JSON.parse(text)).toEqual({ token: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/), tenantId: 'acme', userId: 'ana', expiresAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) });
    expect((await get(token, { Origin: 'https://evil.example' }))[0]).toBe(403);
    expect((await get(token, { Host: 'evil.example' }))[0]).toBe(403);
    expect((await get(token, { Origin: 'http://localhost:3000' }, 'OPTIONS'))[0]).toBe(204);
    expect((await get(token, {}, 'POST'))[0]).toBe(405);
    expect((await get('/_local/token?user=ana'))[0]).toBe(400);
    expect((await get(token + '&expires=soon'))[0]).toBe(400);
    expect((await get('/_local/other'))[0]).toBe(404);
    expect((await get('/'))[0]).toBe(426);
  });

  test('what is wrong with its flags is one line', async () => {
    const busy = await start('--rate=0');
    const missing = join(built.folder, 'missing');
    for (const [args, said] of [
      [['--port', String(busy.port)], `port ${busy.port} is in use: end what listens there, or choose another with --port`],
      [['--port', 'x'], '--port is "x": give a whole number from 0 to 65535'],
      [['--rate', '-1'], '--rate'],
      [['--rate', '1001'], '--rate is "1001": give a number from 0 to 1000'],
      [['--types', 'goal.*,nothing'], 'no event type "nothing"; there are goal.created'],
      [['--seed', '0'], '--seed is "0"'],
      [['--limit', 'x=1'], '--limit x=1: there are replayEvents'],
      [['--scenario', missing], 'no such file'],
      [['--unknown'], '--unknown'],
    ] as const) {
      const { code, out, err } = await runMock(built.program, 'mock', ...args);
      expect([code, out, err.trim().split('\n').length]).toEqual([1, '', 1]);
      expect(err).toContain(said);
    }
    expect(await runMock(built.program)).toMatchObject({ code: 2, out: '', err: expect.stringContaining('npx @purposepath/realtime mock') });
    expect(await runMock(built.program, 'mock', '--help')).toMatchObject({ code: 0, err: '', out: expect.stringContaining('--scenario FILE') });
  });
});

describe('commands', () => {
  test.each<[string, unknown]>([
    ['', undefined],
    ['  # note', undefined],
    ['drop', { is: 'drop' }],
    ['gap too-many', { is: 'gap', reason: 'too-many' }],
    [' gap ', { is: 'gap', reason: 'too-old' }],
    ['wait 50\r', { is: 'wait', ms: 50 }],
    ['emit goal.paused  {"goalId":"g 1"}', { is: 'emit', type: 'goal.paused', detail: { goalId: 'g 1' } }],
  ])('%j is understood', (line, command) => expect(parseCommand(line)).toEqual(command));
  test.each(['drop 1', 'gap now', 'wait', 'wait 1e3', 'wait 99999999999', 'emit', 'emit goal', 'emit goal.paused [1]', 'emit goal.paused {', 'emit goal.paused null', 'emit constructor'])('%j is refused', (line) => {
    expect(() => parseCommand(line)).toThrow(/emit|is no command/);
  });
  test('an error of a scenario names the line', () => expect(() => parseScenario('drop\n\ndorp')).toThrow('line 3: "dorp" is no command'));
  test('types by name, family or all', () => {
    expect(typesOf('issue.*, goal.created,goal.created')).toEqual(['issue.created', 'issue.status_changed', 'goal.created']);
    expect(typesOf('*')).toEqual(Object.values(EventTypes));
    expect(() => typesOf('goal')).toThrow('no event type "goal"');
  });
  test('durations are written as Go writes them', () => expect(['90s', '1h30m', '1.5m', '250ms', '0s', '-1s', '5', '', 's'].map(durationOf)).toEqual([90_000, 5_400_000, 90_000, 250, ...Array<undefined>(5)]));
});
