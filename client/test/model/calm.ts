import type { Create } from './world.js';
import { createFakeClock } from '../../src/testing/clock.js';
import type { FakeClock } from '../../src/testing/clock.js';
import type { RealtimeStats, WebSocketLike } from '../../src/core/options.js';
import { createProtocolServer } from '../../src/testing/protocol-server.js';
import type { ServerConnection } from '../../src/testing/protocol-server.js';

/** What API Gateway does to a connection by itself. */
const IDLE = 600_000;
const LIFE = 7_200_000;

/** A socket to the model server over a perfect line. */
export const lineOf =
  (clock: FakeClock, server: { connect: ReturnType<typeof createProtocolServer>['connect'] }, ms: number) =>
  (): WebSocketLike => {
    let connection: ServerConnection | undefined;
    let heard = clock.monotonic();
    const at = heard;
    let closed = false;
    const later = (run: () => void): void => void clock.setTimeout(() => closed || run(), ms);
    const close = (code: number): void => {
      if (closed) return;
      closed = true;
      if (connection) connection.left();
      if (socket.onclose) socket.onclose({ code } as never);
    };
    const watch = (): void => {
      if (closed) return;
      if (clock.monotonic() - heard > IDLE || clock.monotonic() - at > LIFE) close(1001);
      else clock.setTimeout(watch, 60_000);
    };
    const socket: WebSocketLike = {
      onopen: null,
      onmessage: null,
      onclose: null,
      onerror: null,
      send: (data) => {
        heard = clock.monotonic();
        later(() => connection && connection.receive(data));
      },
      close: () => {
        closed = true;
        clock.setTimeout(() => connection && connection.left(), ms);
      },
    };
    later(() => {
      connection = server.connect({ post: (message) => later(() => socket.onmessage && socket.onmessage({ data: JSON.stringify(message) } as never)), close: (code) => void clock.setTimeout(() => close(code), ms) });
      if (socket.onopen) socket.onopen({} as never);
      watch();
    });
    return socket;
  };

/** So many hours without a fault, an event each minute. Says what was not calm; undefined when all was. */
export const calm = async (create: Create, hours: number, eachHour: (stats: RealtimeStats, timers: number, listeners: number) => void = () => {}): Promise<string | undefined> => {
  const clock = createFakeClock(undefined, 8);
  let broken: string | undefined;
  const server = createProtocolServer({
    now: clock.now,
    verify: (token) => ({ tenantId: 'a', userId: 'u', expiresAt: +token }),
  });
  const sweep = (): void => {
    server.sweep();
    clock.setTimeout(sweep, 60_000);
  };
  sweep();
  let listeners = 0;
  const timers = new Set<unknown>();
  const client = create({
    url: 'ws://calm',
    getToken: () => String(clock.now() + 3_600_000),
    ports: {
      random: Math.random,
      socket: lineOf(clock, server, 40),
      clock: {
        ...clock,
        setTimeout: (run, ms) => {
          const id = clock.setTimeout(() => {
            timers.delete(id);
            run();
          }, ms);
          timers.add(id);
          return id;
        },
        clearTimeout: (id) => {
          timers.delete(id);
          clock.clearTimeout(id);
        },
      },
      page: {
        isVisible: () => false,
        subscribe: () => {
          listeners++;
          return () => void listeners--;
        },
      },
    },
  });
  let last = 0;
  client.subscribe('*', (event) => {
    if (last && event.sequence !== last + 1) broken ||= `got ${event.sequence} after ${last}`;
    last = event.sequence;
  });
  void client.connect();
  await clock.advance(1000);
  const stop = client.onStatus((status) => {
    if (status.state !== 'connected') broken ||= `${status.state} after ${Math.round(clock.monotonic() / 1000)} s without a fault`;
  });
  for (let minute = 1; minute <= hours * 60; minute++) {
    // Half of each hour nothing happens, so that keep-alive is the client's alone.
    if (minute % 60 > 30) server.publish('a', { type: 'goal.paused', data: { goalId: 'g', pausedAt: '', pausedBy: 'u' } });
    await clock.advance(60_000);
    if (minute % 60 === 0) eachHour(client.getStats(), timers.size, listeners);
  }
  if (last !== server.head('a')) broken ||= `at ${last} in the end, and the head is ${server.head('a')}`;
  stop();
  client.destroy();
  if (timers.size || listeners) broken ||= 'something is left after destroy';
  return broken;
};
