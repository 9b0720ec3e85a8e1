/** Clients in every state that a connection can be in: real ones, on fake servers with whose clocks they were brought there. */
import { FatalTokenError } from '@purposepath/realtime';
import type { RealtimeClient, RealtimeEventMap, RealtimeEventType, RealtimeOptions, WebSocketLike } from '@purposepath/realtime';
import { createFakeServer, createTestClient } from '@purposepath/realtime/testing';
import type { FakeServer } from '@purposepath/realtime/testing';
import { takeOver } from '../server/server.js';
import { NOW } from './freeze.js';

/** A client, its server, and what to do with them. */
export interface Scene {
  readonly server: FakeServer;
  readonly client: RealtimeClient;
  /** Lets time pass until so many milliseconds before now. */
  until(before: number): Promise<void>;
  /** No socket opens any more. */
  break(isBroken: boolean): void;
  /** Somebody else does something, so many milliseconds ago; it took 38 ms. */
  emit<T extends RealtimeEventType>(type: T, data: Partial<RealtimeEventMap[T]>): void;
}

export const SECOND = 1_000;
export const MINUTE = 60_000;
/** From a producer to the page. */
const LATENCY = 38;

/** A socket that can't be opened. */
const refused = ({ clock }: FakeServer): WebSocketLike => {
  const socket: WebSocketLike = { onopen: null, onmessage: null, onclose: null, onerror: null, send: () => {}, close: () => {} };
  clock.setTimeout(() => socket.onclose?.({ code: 1006 } as never), 20);
  return socket;
};

/** A client that has not connected yet. */
export const createScene = (options: Partial<RealtimeOptions> = {}, open?: () => WebSocketLike): Scene => {
  const server = createFakeServer({ tenantId: 'demo', userId: 'user-lea' });
  let isBroken = false;
  const client = createTestClient(server, { ...options, ports: { ...server.ports, socket: open ?? ((url) => (isBroken ? refused(server) : server.ports.socket(url))) } });
  return {
    server,
    client,
    until: (before) => server.clock.advance(NOW - before - server.clock.now()),
    break: (broken) => void (isBroken = broken),
    emit: (type, data) => void server.emit(type, data, { timestamp: new Date(server.clock.now() - LATENCY).toISOString() }),
  };
};

/** Connected from the beginning, as of now. */
export const live = async (): Promise<Scene> => {
  const scene = createScene();
  await scene.client.connect();
  await scene.until(40 * SECOND);
  scene.emit('goal.resumed', { goalId: 'goal-2', resumedBy: 'user-jo' });
  await scene.until(0);
  return scene;
};

/** Lost so long ago, and not to be had again. */
export const lost = async (before: number, isOffline = false): Promise<Scene> => {
  const scene = createScene();
  await scene.client.connect();
  await scene.until(before);
  scene.break(true);
  if (isOffline) scene.server.page('offline');
  scene.server.drop();
  await scene.until(0);
  return scene;
};

const stopped = async (scene: Scene): Promise<Scene> => {
  // Why it stops is in its status.
  scene.client.connect().catch(() => {});
  await scene.until(0);
  return scene;
};

/** A provider connects the client that it is handed, so this one is closed once it is on the page. */
export const CLOSED = 'Closed by the application';

/** Every state of an indicator, by what it shows. */
export const connections: { readonly [name: string]: () => Promise<Scene> } = {
  Live: live,
  'Live, and out of date': async () => {
    const scene = createScene();
    await scene.client.connect();
    await scene.until(7 * SECOND);
    scene.server.halfOpen();
    void scene.client.probe();
    await scene.until(0);
    return scene;
  },
  Connecting: async () => {
    const scene = createScene();
    await scene.until(0);
    scene.server.hold();
    scene.client.connect().catch(() => {});
    await scene.until(0);
    return scene;
  },
  Reconnecting: () => lost(9 * SECOND),
  'No network': () => lost(MINUTE, true),
  'Open elsewhere': async () => {
    const scene = createScene();
    await scene.client.connect();
    await scene.until(0);
    const status = scene.client.getStatus();
    if (status.state === 'connected') takeOver(scene.server.ports.socket, scene.server.url, scene.server.token(), status.connectionId);
    return scene;
  },
  [CLOSED]: live,
  'Signed out': async () => {
    const scene = await live();
    scene.client.setSession(null);
    return scene;
  },
  'Error: no token': () =>
    stopped(
      createScene({
        getToken: () => {
          throw new FatalTokenError('The session has ended');
        },
      }),
    ),
  'Error: a wrong address': () =>
    stopped(
      createScene({}, () => {
        throw new SyntaxError('The URL is no address of a WebSocket');
      }),
    ),
  'Error: refused': () => {
    const scene = createScene();
    scene.server.reject('FORBIDDEN', { reason: 'upgrade' });
    return stopped(scene);
  },
};

export const time = (before: number): string => new Date(NOW - before).toISOString();
