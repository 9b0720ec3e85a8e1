import { entityOf, isCatalogueType } from '../generated/events.js';
import type { EntityRef, EventSelector, RealtimeEvent, Selected, UnknownEvent } from '../generated/events.js';
import { systemClock } from './clock.js';
import { isAbout, matcher, metaOf, createSubscribers } from './dispatch.js';
import type { AnyHandler } from './dispatch.js';
import { realtimeError } from './error.js';
import type { RealtimeError } from './error.js';
import { dueOf, step } from './machine.js';
import type { LogEntry, RealtimeClient, RealtimeOptions, RealtimeStats, Resync, Unsubscribe, WebSocketLike } from './options.js';
import { browserPage } from './page.js';
import { initial } from './state.js';
import type { Delivery, Effect, Input, Inspectable, Inspector } from './state.js';
import { statusOf } from './status.js';
import type { ConnectionStatus } from './status.js';

/** Browsers' timers hold 24.8 days, and phones dislike long ones. */
const LONGEST_TIMER = 43_200_000;
const LATENCIES = 256;

type Listener<T> = (value: T) => unknown;
const addTo = <T>(set: Set<T>, value: T): Unsubscribe => {
  set.add(value);
  return () => void set.delete(value);
};
/** The latest ones, at most so many. */
const keep = <T>(list: T[], item: T, most: number): void => {
  if (list.push(item) > most) list.shift();
};

/**
 * Makes a client for one tenant's events. It does nothing until connect().
 *
 * It keeps the connection alive, makes it anew when it is lost, hands it over before API Gateway's two hours are up, renews the token, and hands on each event once and in order. Where that can't be done it says so once, through `onResync`.
 *
 * It touches no browser global before connect(), so it can be made on a server.
 *
 * @example
 * ```ts
 * const client = createRealtimeClient({
 *   url: 'wss://realtime.example.com/prod',
 *   getToken: ({ reason }) => session.token({ force: reason !== 'connect' }),
 *   onResync: () => store.load(),
 * });
 * client.subscribe('goal.completed', (event) => console.log(event.data.goalId));
 * await client.connect();
 * ```
 */
export const createRealtimeClient = (given: RealtimeOptions): RealtimeClient => {
  const statusListeners = new Set<Listener<ConnectionStatus>>();
  const onStatus = (listener: Listener<ConnectionStatus>): Unsubscribe => addTo(statusListeners, listener);
  const options = given.share ? given.share(given, { session: () => state.session, onStatus }) : given;
  const { clock = systemClock, random = Math.random, page = browserPage(), socket: open = (url: string): WebSocketLike => new WebSocket(url) } = options.ports || {};
  const { history = 200, logger } = options;

  let state = initial(options, options.sessionKey, options.initialSequence, clock.now(), clock.monotonic());
  let status: ConnectionStatus = statusOf(state);
  let leavePage: (() => void) | undefined;
  let aborter: AbortController | undefined;
  let timer: unknown;
  let armed = Infinity;
  let asked = 0;
  let unknown = 0;
  let recent: RealtimeEvent[] = [];
  let latencies: number[] = [];
  const inbox: Input[] = [];
  const sockets = new Map<number, WebSocketLike>();
  const subscribers = createSubscribers();
  const resyncListeners = new Set<Listener<Resync>>();
  const sessionListeners = new Set<Listener<void>>();
  const inspectors = new Set<Inspector>();
  const answers = new Map<number, (upToDate: boolean) => void>();

  const log = (level: LogEntry['level'], event: string, fields: LogEntry['fields']): void => {
    logger?.({ level, event, fields });
  };
  const onError = (error: RealtimeError): void => {
    log('warn', 'error', { code: error.code, message: error.message });
    if (options.onError) options.onError(error);
    else if (error.code === 'HANDLER') typeof reportError === 'function' ? reportError(error.cause) : console.error(error.cause);
  };
  const handlerFailed = (cause: unknown): void => onError(realtimeError('HANDLER', 'A handler threw', clock.now(), true, { cause }));
  /** Calls what belongs to the application. What it throws, now or later, stops nothing. */
  const call = <T>(listener: (value: T) => unknown, value: T): unknown => {
    try {
      const result = listener(value);
      if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function') return Promise.resolve(result as PromiseLike<unknown>).then(undefined, handlerFailed);
    } catch (error) {
      handlerFailed(error);
    }
    return undefined;
  };

  const deliver = ({ event: envelope, receivedAt, replayed }: Delivery): void => {
    const event = envelope as RealtimeEvent & UnknownEvent;
    const { validate, onInvalid, onUnknown } = options;
    if (!isCatalogueType(event.type)) {
      unknown++;
      if (onUnknown) call(onUnknown, event);
    } else if (validate) {
      const result = validate(event);
      let kept = true as void | boolean;
      if (!result.ok && onInvalid) call((issues) => void (kept = onInvalid(event, issues)), result.issues || []);
      if (kept === false) return;
    }
    const meta = metaOf(event, receivedAt, replayed, state.user, state.count.clockOffsetMs || 0);
    if (!replayed) keep(latencies, meta.latencyMs, LATENCIES);
    keep(recent, event, history);
    subscribers.tell(event, meta, (handler) => call((e) => handler(e, meta), event));
  };

  const openSocket = (id: number): void => {
    let socket: WebSocketLike;
    try {
      socket = open(options.url);
    } catch (cause) {
      return send({ is: 'close', id, cause });
    }
    sockets.set(id, socket);
    socket.onopen = () => send({ is: 'open', id });
    socket.onmessage = ({ data }: { data: unknown }) => {
      let message: unknown;
      try {
        message = JSON.parse(data as string);
      } catch {
        // Not JSON: no message of the protocol, which is for the machine to say.
      }
      send({ is: 'message', id, message });
    };
    socket.onclose = ({ code }: { code: number }) => send({ is: 'close', id, code });
    // A close follows, but not in Chromium where the page's policy forbids the address. Unheard, an error ends a Node process.
    socket.onerror = () => {
      if ((socket as { readyState?: number }).readyState === 3) send({ is: 'close', id });
    };
  };
  const closeSocket = (id: number): void => {
    const socket = sockets.get(id);
    if (!socket) return;
    sockets.delete(id);
    // Let go of at once: a close handshake on a dead line may take minutes.
    socket.onopen = socket.onmessage = socket.onclose = null;
    try {
      socket.close(1000);
    } catch {
      // Never opened, or closed: nothing is left to do.
    }
  };

  const askForToken = (id: number, reason: 'connect' | 'refresh' | 'rejected'): void => {
    const { signal } = (aborter = new AbortController());
    const got = (token: string | null): void => send({ is: 'token', id, token });
    const failed = (cause: unknown): void => send({ is: 'token', id, cause, fatal: (cause as Error | undefined)?.name === 'FatalTokenError' });
    try {
      const token = options.getToken({ reason, signal });
      if (token && typeof token !== 'string') token.then(got, failed);
      else got(token);
    } catch (error) {
      failed(error);
    }
  };

  const run = (effect: Effect): void => {
    switch (effect.do) {
      case 'open':
        return openSocket(effect.id);
      case 'close':
        return closeSocket(effect.id);
      case 'send': {
        const socket = sockets.get(effect.id);
        try {
          socket?.send(JSON.stringify(effect.message));
        } catch {
          // Closing: its close event comes, or its answer does not.
        }
        return;
      }
      case 'token':
        return askForToken(effect.id, effect.reason);
      case 'abort':
        return aborter?.abort();
      case 'deliver':
        return effect.events.forEach(deliver);
      case 'forget':
        recent = [];
        latencies = [];
        return sessionListeners.forEach((listener) => call(listener, undefined));
      case 'resync': {
        const { id, resync } = effect;
        const loading = [...resyncListeners].map((listener) => call(listener, resync)).filter((result) => result);
        const done = (): void => send({ is: 'loaded', id });
        if (loading.length) void Promise.all(loading).then(done);
        else done();
        return;
      }
      case 'answer':
        for (const id of effect.ids) {
          const answer = answers.get(id);
          answers.delete(id);
          answer?.(effect.upToDate);
        }
        return;
      case 'error':
        return onError(effect.error);
    }
  };

  const publish = (): void => {
    const next = statusOf(state, status);
    if (next === status) return;
    status = next;
    log('info', 'status', { state: next.state });
    statusListeners.forEach((listener) => call(listener, next));
  };
  const arm = (): void => {
    const due = dueOf(state);
    // By the clock that timers run by: after sleep the same deadline is nearer.
    const at = Math.round(due - state.t + state.mono);
    if (at === armed) return;
    if (armed < Infinity) clock.clearTimeout(timer);
    armed = at;
    if (at < Infinity)
      timer = clock.setTimeout(() => {
        armed = Infinity;
        send({ is: 'timer' });
      }, Math.min(LONGEST_TIMER, Math.max(0, due - state.t)));
  };
  /** The one way into the machine. Inputs that come while effects run wait for their turn. */
  function send(input: Input): void {
    // The first one stays until its effects have run.
    if (inbox.push(input) > 1) return;
    for (let next; (next = inbox[0]); inbox.shift()) {
      const [after, effects] = step(state, next, { now: clock.now(), mono: clock.monotonic(), random: random() });
      state = after;
      inspectors.forEach((inspect) => inspect(state, next, effects));
      publish();
      for (const effect of effects) {
        if (logger && effect.do !== 'deliver' && effect.do !== 'error') log('debug', effect.do, 'code' in effect ? { code: effect.code } : 'id' in effect ? { id: effect.id } : {});
        run(effect);
      }
    }
    arm();
  }

  const listenToPage = (): void => {
    if (leavePage) return;
    leavePage = page.subscribe((event) => {
      if (event !== 'interaction' || options.ping?.onInteraction !== false) send({ is: 'page', event });
    });
    send({ is: 'page', event: page.isVisible() ? 'visible' : 'hidden' });
  };
  const disconnect = (): void => {
    leavePage?.();
    leavePage = undefined;
    send({ is: 'disconnect' });
  };

  const client: RealtimeClient & Inspectable = {
    getStatus: () => status,
    onStatus,
    subscribe(selector, handler, { signal, where } = {}) {
      if (signal?.aborted) return () => {};
      const stop = subscribers.add(selector, where, handler as unknown as AnyHandler);
      signal?.addEventListener('abort', stop);
      return stop;
    },
    recent<S extends EventSelector>(selector: S | readonly S[], where?: Partial<EntityRef>) {
      const matches = matcher(selector);
      return recent.filter((event) => matches(event.type) && isAbout(entityOf(event), where)) as unknown as readonly RealtimeEvent<Selected<S>>[];
    },
    onResync: (listener) => addTo(resyncListeners, listener),
    onSession: (listener) => addTo(sessionListeners, listener),
    inspect: (inspector) => [addTo(inspectors, inspector), send],
    connect({ signal } = {}) {
      listenToPage();
      send({ is: 'connect' });
      return new Promise((resolve, reject) => {
        const end = (settle: (value: never) => void, value?: unknown): void => {
          stop();
          signal?.removeEventListener('abort', aborted);
          settle(value as never);
        };
        const aborted = (): void => end(reject, realtimeError('TIMEOUT', 'connect was aborted', clock.now(), true, { cause: (signal as { reason?: unknown }).reason }));
        const check = (): void => {
          const { state } = status;
          if (state === 'connected') end(resolve);
          else if (state === 'error') end(reject, status.error);
          else if (state === 'disconnected') end(reject, realtimeError('TOKEN_UNAVAILABLE', 'Not connected: ' + status.reason, clock.now(), false));
        };
        const stop = onStatus(check);
        signal?.addEventListener('abort', aborted);
        if (signal?.aborted) aborted();
        else check();
      });
    },
    disconnect,
    retryNow: () => send({ is: 'retry' }),
    probe: () =>
      new Promise((resolve) => {
        answers.set(++asked, resolve);
        send({ is: 'ask', id: asked });
      }),
    setSession: (key, { initialSequence } = {}) => send({ is: 'session', key, position: initialSequence }),
    getStats: (): RealtimeStats => {
      const sorted = [...latencies].sort((a, b) => a - b);
      const at = (share: number): number => sorted[Math.floor(share * sorted.length)] as number;
      return { ...state.count, unknown, connectedSince: state.since, sequence: state.position ?? null, latencyMs: sorted.length ? { p50: at(0.5), p95: at(0.95), p99: at(0.99) } : null };
    },
    destroy() {
      disconnect();
      subscribers.clear();
      statusListeners.clear();
      resyncListeners.clear();
      sessionListeners.clear();
      recent = [];
    },
  };
  if (options.onResync) client.onResync(options.onResync);
  return client;
};
