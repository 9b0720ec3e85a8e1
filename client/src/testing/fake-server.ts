import { createRealtimeClient } from '../core/client.js';
import type { PageEvent, Ports, RealtimeClient, RealtimeOptions, WebSocketLike } from '../core/options.js';
import type { RealtimeEvent, RealtimeEventMap, RealtimeEventType } from '../generated/events.js';
import type { ServerCode } from '../generated/protocol.js';
import { createFakeClock, createRealClock } from './clock.js';
import type { FakeClock } from './clock.js';
import { dataOf } from './events.js';
import { createProtocolServer } from './protocol-server.js';
import type { Refusal, ServerConnection } from './protocol-server.js';

/** Parts of an event's envelope that a test may fix. */
export interface EnvelopeOptions {
  readonly eventId?: string | undefined;
  readonly correlationId?: string | undefined;
  /** RFC 3339 with three decimals. Default: now. */
  readonly timestamp?: string | undefined;
}

/** A server in memory, with whatever may go wrong. Made by {@link createFakeServer}. */
export interface FakeServer {
  readonly url: string;
  readonly tenantId: string;
  readonly userId: string;
  readonly clock: FakeClock;
  /** Connections that are open and authenticated. */
  readonly connections: number;
  /** Every message of the clients, oldest first. */
  readonly sent: readonly Readonly<Record<string, unknown>>[];
  /** The number of the last event. */
  readonly head: number;
  /** A token of the fake's user that is good now. */
  token(): string;
  /** Ports for a client of your own; {@link createTestClient} uses them. */
  readonly ports: Ports;
  /** Numbers an event, keeps it, and sends it to all connections. Missing fields come from the catalogue's sample. */
  emit<T extends RealtimeEventType>(type: T, data?: Partial<RealtimeEventMap[T]>, envelope?: EnvelopeOptions): RealtimeEvent<T>;
  /** Cuts all connections. */
  drop(code?: number): void;
  /** The connections stay open, and nothing passes any more. */
  halfOpen(): void;
  /** Cuts all connections, and what is missed can't be had: coming back leads to a resync. */
  gap(reason?: 'too-old' | 'too-many'): void;
  /** The tokens have ended: the server says so and closes. */
  expireToken(): void;
  /** The next auth is refused. */
  reject(code: ServerCode, options?: { readonly reason?: string | undefined; readonly retryAfterMs?: number | undefined }): void;
  /** API Gateway's own error, on all connections. */
  gatewayError(message?: string): void;
  /** Keeps back what the server sends, until the function that it returns is called. */
  hold(): () => void;
  /** The machine sleeps so long, then wakes. */
  sleep(ms: number): Promise<void>;
  /** Something happens to the page. */
  page(event: PageEvent): void;
}

/** Options of {@link createFakeServer}. */
export interface FakeServerOptions {
  /** Default `test-tenant`. */
  readonly tenantId?: string | undefined;
  /** Default `test-user`. */
  readonly userId?: string | undefined;
  /**
   * `fake`: time stands still until {@link FakeServer.clock} advances it. `real`: it goes on by itself, for a page that runs without a server, such as a demo or a story.
   *
   * @defaultValue 'fake'
   */
  readonly clock?: 'fake' | 'real' | undefined;
  /** Milliseconds a token lasts. Default an hour. */
  readonly tokenLifeMs?: number | undefined;
  /** Seed of the clients' random numbers. Default 1. */
  readonly seed?: number | undefined;
}

/**
 * Makes a server for tests. Its clock stands still until the test advances it; what needs no time happens at once, within the call that causes it.
 *
 * @example
 * ```ts
 * const server = createFakeServer({ tenantId: 't1', userId: 'u1' });
 * const client = createTestClient(server);
 * await client.connect();
 * server.drop();
 * server.emit('goal.completed', { goalId: 'g1' }); // missed
 * await server.clock.advance(2000); // reconnected, and delivered
 * ```
 */
export function createFakeServer({ tenantId = 'test-tenant', userId = 'test-user', clock: kind = 'fake', tokenLifeMs = 3_600_000, seed = 1 }: FakeServerOptions = {}): FakeServer {
  const clock = kind === 'real' ? createRealClock() : createFakeClock();
  const sent: Readonly<Record<string, unknown>>[] = [];
  const lines = new Set<{ dead: boolean; end(code: number): void; server?: ServerConnection }>();
  const pages = new Set<(event: PageEvent) => void>();
  let visible = true;
  let rejection: Refusal | undefined;
  let held: (() => void)[] | undefined;
  let random = seed;

  const server = createProtocolServer({
    now: clock.now,
    verify: (token) => {
      const [, tenant = '', user = '', expiresAt] = /^(\S+) (\S+) ([\d.]+)$/.exec(token) || [];
      return expiresAt ? { tenantId: tenant, userId: user, expiresAt: Number(expiresAt) } : { error: 'the token is not one of token()' };
    },
    refuse: (action) => {
      if (action !== 'auth') return undefined;
      const refusal = rejection;
      rejection = undefined;
      return refusal;
    },
  });
  const sweep = (): void => {
    server.sweep();
    clock.setTimeout(sweep, 60_000);
  };
  clock.setTimeout(sweep, 60_000);

  const socket = (): WebSocketLike => {
    const line: { dead: boolean; end(code: number): void; server?: ServerConnection } = {
      dead: false,
      end(code) {
        if (!lines.delete(line)) return;
        if (line.server) line.server.left();
        if (!line.dead && self.onclose) self.onclose({ code } as never);
      },
    };
    let onopen: WebSocketLike['onopen'] = null;
    const open = (): void => {
      line.server = server.connect({
        post: (message) => {
          const text = JSON.stringify(message);
          const pass = (): void => {
            if (!line.dead && lines.has(line) && self.onmessage) self.onmessage({ data: text } as never);
          };
          if (held) held.push(pass);
          else pass();
        },
        close: (code) => line.end(code),
      });
      if (onopen) onopen({} as never);
    };
    const self: WebSocketLike = {
      get onopen() {
        return onopen;
      },
      // It opens as soon as somebody listens: nothing takes time here.
      set onopen(listener) {
        onopen = listener;
        if (listener && !line.server) open();
      },
      onmessage: null,
      onclose: null,
      onerror: null,
      send(text) {
        try {
          sent.push(JSON.parse(text) as Record<string, unknown>);
        } catch {
          // No message: for the server to refuse.
        }
        if (!line.dead && line.server) line.server.receive(text);
      },
      close() {
        lines.delete(line);
        if (line.server) line.server.left();
      },
    };
    lines.add(line);
    return self;
  };
  const tell = (event: PageEvent): void => {
    if (event === 'visible' || event === 'hidden') visible = event === 'visible';
    pages.forEach((listener) => listener(event));
  };

  return {
    url: 'ws://fake.test',
    tenantId,
    userId,
    clock,
    sent,
    get connections() {
      return Array.from(lines).filter(({ dead, server: c }) => !dead && c && c.tenantId !== undefined).length;
    },
    get head() {
      return server.head(tenantId);
    },
    ports: {
      clock,
      socket,
      random: () => (random = (random * 16807) % 2147483647) / 2147483647,
      page: {
        isVisible: () => visible,
        subscribe: (listener) => {
          pages.add(listener);
          return () => pages.delete(listener);
        },
      },
    },
    emit<T extends RealtimeEventType>(type: T, data?: Partial<RealtimeEventMap[T]>, envelope: EnvelopeOptions = {}) {
      return server.publish(tenantId, { type, data: dataOf(type, data), ...envelope }) as unknown as RealtimeEvent<T>;
    },
    drop: (code = 1006) => Array.from(lines).forEach((line) => line.end(code)),
    halfOpen: () => lines.forEach((line) => (line.dead = true)),
    gap(reason = 'too-old') {
      for (const connection of server.connections()) connection.end();
      for (let i = 0; i < (reason === 'too-many' ? 1001 : 1); i++) server.publish(tenantId, { type: 'goal.paused', data: dataOf('goal.paused') });
      if (reason === 'too-old') server.truncate(tenantId);
    },
    expireToken: () => server.connections().forEach((connection) => connection.end({ code: 'UNAUTHORIZED', reason: 'token_expired', error: 'the token has ended' })),
    reject(code, options = {}) {
      rejection = { code, ...options };
    },
    gatewayError: (message = 'Internal server error') => server.connections().forEach((c) => c.post({ message, connectionId: c.id, requestId: 'r=' })),
    hold() {
      const mine: (() => void)[] = (held = []);
      return () => {
        if (held === mine) held = undefined;
        mine.splice(0).forEach((pass) => pass());
      };
    },
    async sleep(ms) {
      clock.sleep(ms);
      tell('visible');
      await clock.advance(0);
    },
    page: tell,
    token: () => [tenantId, userId, clock.now() + tokenLifeMs].join(' '),
  };
}

/**
 * Makes a client of a fake server: signed in as its user, on its clock. Options override.
 *
 * @example
 * ```ts
 * const client = createTestClient(server, { onResync: () => load() });
 * await client.connect();
 * ```
 */
export function createTestClient(server: FakeServer, options: Partial<RealtimeOptions> = {}): RealtimeClient {
  return createRealtimeClient({
    url: server.url,
    getToken: () => server.token(),
    ...options,
    ports: { ...server.ports, ...options.ports },
  });
}
