/** Many clients, and one for a day: the figures of the package. */
import { expect, test } from 'vitest';
import { createRealtimeClient } from '../../src/core/client.js';
import type { RealtimeClient, WebSocketLike } from '../../src/core/options.js';
import { createFakeClock } from '../../src/testing/clock.js';
import { calm } from './calm.js';
import { randomOf } from './world.js';

test('a day: twelve rotations or more, no flicker, listeners and timers constant', { timeout: 60_000 }, async () => {
  const hours: [number, number][] = [];
  let rotations = 0;
  const before = process.memoryUsage().heapUsed;
  const broken = await calm(createRealtimeClient, 24, (stats, timers, listeners) => {
    rotations = stats.rotations;
    hours.push([timers, listeners]);
  });
  const grown = (process.memoryUsage().heapUsed - before) / 1e6;
  console.log(`24 h: ${rotations} rotations, heap ${grown.toFixed(1)} MB larger, garbage included`);
  expect(broken).toBeUndefined();
  expect(rotations).toBeGreaterThanOrEqual(12);
  expect(new Set(hours.map(String))).toEqual(new Set(['1,1']));
});

/** API Gateway takes so many new connections a second and refuses the rest. */
const PER_SECOND = 500;
const CLIENTS = 10_000;

const eventOf = (sequence: number): string => JSON.stringify({ type: 'goal.paused', timestamp: '', eventId: 'e', tenantId: 'a', sequence, data: {} });

/** A socket without a server behind it: it opens, says auth.success, and keeps what it is told. */
const lineOf = (clock: ReturnType<typeof createFakeClock>, takes: () => boolean, head: () => number, heard: (message: { action: string; lastSequence?: number }) => void, open: Set<WebSocketLike>) => (): WebSocketLike => {
  const socket: WebSocketLike = {
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: (text) => {
      const message = JSON.parse(text) as { action: string; lastSequence?: number; ref: string };
      heard(message);
      const data = { tenantId: 'a', userId: 'u', connectionId: 'c', expiresAt: new Date(clock.now() + 3_600_000).toISOString(), sequence: head(), ref: message.ref, ...(message.lastSequence !== undefined && { after: message.lastSequence, recovered: true }) };
      for (let n = message.lastSequence ?? head(); ++n <= head(); ) {
        const event = eventOf(n);
        clock.setTimeout(() => socket.onmessage && socket.onmessage({ data: event } as never), 40);
      }
      clock.setTimeout(() => socket.onmessage && socket.onmessage({ data: JSON.stringify({ type: message.action === 'auth' ? 'auth.success' : 'pong', timestamp: new Date(clock.now()).toISOString(), data }) } as never), 50);
    },
    close: () => void open.delete(socket),
  };
  clock.setTimeout(() => {
    if (takes()) {
      open.add(socket);
      if (socket.onopen) socket.onopen({} as never);
    } else if (socket.onclose) socket.onclose({ code: 1006 } as never);
  }, 100);
  return socket;
};

const herd = async () => {
  const clock = createFakeClock(undefined, 0);
  const random = randomOf(7);
  const open = new Set<WebSocketLike>();
  const perSecond = new Map<number, number>();
  const pings = new Map<number, number>();
  let limit = Infinity;
  let head = 1_767_603_600_000;
  let tried = 0;
  const second = (): number => Math.floor(clock.monotonic() / 1000);
  const count = (map: Map<number, number>): number => {
    const n = (map.get(second()) || 0) + 1;
    map.set(second(), n);
    return n;
  };
  const socket = lineOf(
    clock,
    () => {
      tried++;
      if ((perSecond.get(second()) || 0) >= limit) return false;
      count(perSecond);
      return true;
    },
    () => head,
    ({ action }) => void (action === 'ping' && count(pings)),
    open,
  );
  const page = { isVisible: () => true, subscribe: () => () => {} };
  const clients: RealtimeClient[] = Array.from({ length: CLIENTS }, () => createRealtimeClient({ url: 'ws://herd', getToken: () => 't', history: 0, ports: { clock, random, socket, page } }));
  for (const client of clients) client.connect().catch(() => {});
  await clock.advance(20_000);
  return { clock, clients, open, perSecond, pings, setLimit: (n: number) => (limit = n), setHead: (n: number) => (head = n), head: () => head, tried: () => tried };
};

test('ten thousand cut at once: no more connections than are taken, the last back within a minute', { timeout: 60_000 }, async () => {
  const { clock, clients, open, perSecond, setLimit, tried } = await herd();
  expect(clients.every((client) => client.getStatus().state === 'connected')).toBe(true);
  setLimit(PER_SECOND);
  perSecond.clear();
  const before = tried();
  const cut = clock.monotonic();
  for (const socket of Array.from(open)) {
    open.delete(socket);
    if (socket.onclose) socket.onclose({ code: 1006 } as never);
  }
  let back = 0;
  while (back < CLIENTS && clock.monotonic() - cut < 60_000) {
    await clock.advance(1000);
    back = clients.filter((client) => client.getStatus().state === 'connected').length;
  }
  console.log(`${back} of ${CLIENTS} back after ${(clock.monotonic() - cut) / 1000} s, at most ${Math.max(...perSecond.values())} a second, ${((tried() - before) / CLIENTS).toFixed(1)} tries each`);
  expect(back).toBe(CLIENTS);
  expect(Math.max(...perSecond.values())).toBeLessThanOrEqual(PER_SECOND);
});

test('ten thousand see a gap: they ask within five seconds, spread, below 3,000 a second', { timeout: 60_000 }, async () => {
  const { clock, open, pings, setHead, head } = await herd();
  await clock.advance(700); // not at the edge of a second
  pings.clear();
  setHead(head() + 2);
  const event = eventOf(head());
  for (const socket of open) if (socket.onmessage) socket.onmessage({ data: event } as never);
  await clock.advance(5000);
  const asked = Array.from(pings.values());
  console.log(`pings a second: ${asked.join(', ')}`);
  expect(asked.reduce((a, b) => a + b)).toBe(CLIENTS);
  expect(Math.max(...asked)).toBeLessThan(3000);
});
