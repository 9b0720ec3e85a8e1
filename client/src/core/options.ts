import type { EntityRef, EventSelector, RealtimeEvent, Selected, UnknownEvent } from '../generated/events.js';
import type { ValidationIssue } from '../generated/validate.js';
import type { RealtimeError } from './error.js';
import type { ConnectionStatus } from './status.js';

/**
 * Why state has to be loaded.
 *
 * - `first`: the session's first connection.
 * - `too-old`: what was missed is no longer kept by the server.
 * - `too-many`: more was missed than `recovery.maxReplay`.
 * - `log-restarted`: the server's log of events began anew.
 * - `overflow`: more came while state was being loaded than is kept.
 * - `unhealed`: the server could not send what is missing.
 */
export type ResyncReason = 'first' | 'too-old' | 'too-many' | 'log-restarted' | 'overflow' | 'unhealed';

/** The moment to load state: what is loaded from now on holds every event up to `sequence`; later events follow. */
export interface Resync {
  readonly reason: ResyncReason;
  /** The position from which events follow. */
  readonly sequence: number;
  /** The first event that was missed; absent for `first`. */
  readonly missedFrom?: number | undefined;
}

/** What is known of an event beside itself. */
export interface EventMeta {
  /** When it arrived, in milliseconds since 1970 by this machine's clock. */
  readonly receivedAt: number;
  /** From its timestamp to its arrival in milliseconds, corrected for the difference of the clocks; never below 0. */
  readonly latencyMs: number;
  /** Missed while away, delivered now. */
  readonly replayed: boolean;
  /** Caused by the signed-in user. */
  readonly own: boolean;
  /** What it is about; undefined for a type that the catalogue lacks. */
  readonly entity: EntityRef | undefined;
}

/** Takes one event. What it throws, or rejects with, goes to `onError` and stops nothing. */
export type EventHandler<S extends EventSelector> = (event: RealtimeEvent<Selected<S>>, meta: EventMeta) => void;

/**
 * Why a token is wanted.
 *
 * - `connect`: for a new connection; one from a cache will do.
 * - `refresh`: the present one ends soon; it must end later than that one.
 * - `rejected`: the server refused the present one, or it has ended.
 */
export type TokenReason = 'connect' | 'refresh' | 'rejected';

/**
 * Gets a token.
 *
 * Return null when nobody is signed in: the client stops without an error until the session changes or connect() is called. Throw {@link FatalTokenError} to stop with one. Anything else that is thrown is tried again, as is no answer within 30 s.
 *
 * @example
 * ```ts
 * const getToken: GetToken = async ({ reason, signal }) => (await session({ force: reason !== 'connect', signal })).idToken;
 * ```
 */
export type GetToken = (context: { readonly reason: TokenReason; readonly signal: AbortSignal }) => Promise<string | null> | string | null;

/** Options of {@link createRealtimeClient}. */
export interface RealtimeOptions {
  /** `wss://…/{stage}`; locally `ws://localhost:5055`. Without query: the token does not travel here. */
  url: string;
  /** Called before each connection opens and before each renewal. Aborted when the session ends. */
  getToken: GetToken;
  /**
   * Whose session this is, such as `${tenantId}/${userId}`; null = signed out. Absent: the client tells sessions apart by the server's answers alone.
   *
   * @defaultValue undefined
   */
  sessionKey?: string | null | undefined;
  /**
   * The position that was stored with state, such as a persisted cache: the `sequence` of the last event that the state took, or of the resync that it was loaded for. What happened since is replayed, and no `first` resync comes; where it can't be had, another resync does.
   *
   * @defaultValue undefined: state is loaded anew
   */
  initialSequence?: number | undefined;
  backoff?:
    | {
        /**
         * Caps of the delays before each attempt in milliseconds; the delay is drawn at random below the cap, and the last one repeats.
         *
         * @defaultValue [1000, 2000, 4000, 8000, 16000, 30000]
         */
        readonly capsMs?: readonly number[] | undefined;
        /**
         * Milliseconds connected after which counting starts anew.
         *
         * @defaultValue 10000
         */
        readonly stableAfterMs?: number | undefined;
      }
    | undefined;
  ping?:
    | {
        /**
         * The longest time without sending, in milliseconds. API Gateway closes at 600000.
         *
         * @defaultValue 480000
         */
        readonly intervalMs?: number | undefined;
        /**
         * The same while the page is visible. Each ping costs two messages and an invocation.
         *
         * @defaultValue intervalMs
         */
        readonly visibleIntervalMs?: number | undefined;
        /**
         * Milliseconds until a silent connection is asked a second time, and again until it is given up.
         *
         * @defaultValue 5000
         */
        readonly timeoutMs?: number | undefined;
        /**
         * Ask on the first interaction after a minute of silence, at most once a minute.
         *
         * @defaultValue true
         */
        readonly onInteraction?: boolean | undefined;
      }
    | undefined;
  /**
   * The age in milliseconds, drawn between the two, at which a connection is handed over to its successor. API Gateway ends it at 7200000. false = never.
   *
   * @defaultValue [6000000, 6900000]
   */
  rotateAfterMs?: readonly [min: number, max: number] | false | undefined;
  recovery?:
    | {
        /**
         * Missed events that are replayed at most; beyond it is a resync `too-many`. Also the most that wait while state is loaded; beyond it is a resync `overflow`.
         *
         * @defaultValue 1000
         */
        readonly maxReplay?: number | undefined;
      }
    | undefined;
  /**
   * Holds events to the catalogue: pass {@link validateEvent}, in development for instance. The server has checked them once.
   *
   * @defaultValue undefined
   */
  validate?: ((event: unknown) => { readonly ok: boolean; readonly issues?: readonly ValidationIssue[] }) | undefined;
  /**
   * Events kept for {@link RealtimeClient.recent}; 0 = none.
   *
   * @defaultValue 200
   */
  history?: number | undefined;
  /** Load state now. A returned promise holds events back until it settles, at most 10 s; then they come in order. */
  onResync?: ((resync: Resync) => void | Promise<unknown>) | undefined;
  /** Every error, also those that are tried again. Without it errors of handlers go to reportError. */
  onError?: ((error: RealtimeError) => void) | undefined;
  /** An event of a type that this version's catalogue lacks. */
  onUnknown?: ((event: UnknownEvent) => void) | undefined;
  /** An event that `validate` refused. Return false to keep it from the handlers. */
  onInvalid?: ((event: UnknownEvent, issues: readonly ValidationIssue[]) => void | boolean) | undefined;
  /**
   * One connection for several clients: pass {@link shareTabs} to have one for all tabs of the browser. It is a function and not a name, so that who does not use it does not load it.
   *
   * @defaultValue undefined: a connection of its own
   */
  share?: Share | undefined;
  /** Told what the client does, without tokens and payloads. */
  logger?: ((entry: LogEntry) => void) | undefined;
  /** Clock, randomness, socket and page, for tests and for places that are no browser. */
  ports?: Partial<Ports> | undefined;
}

/** One line of a log. */
export interface LogEntry {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly event: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** The client's surroundings. */
export interface Ports {
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly socket: (url: string) => WebSocketLike;
  readonly page: PagePort;
  /** For {@link shareTabs}. */
  readonly tabs?: TabsPort | undefined;
}

/** Replaces a client's options when it is made. `client` is not ready before that: what it has may only be called later. */
export type Share = (
  options: RealtimeOptions,
  client: { session(): string | null | undefined; onStatus(listener: (status: ConnectionStatus) => void): Unsubscribe },
) => RealtimeOptions;

/** How the tabs of a browser find each other. */
export interface TabsPort {
  readonly locks: {
    request(name: string, options: { readonly signal?: AbortSignal; readonly steal?: boolean }, hold: () => Promise<void>): Promise<unknown>;
  };
  readonly channel: (name: string) => {
    /** The event's `data` is what was posted. */
    onmessage: ((event: never) => void) | null;
    postMessage(message: unknown): void;
    close(): void;
  };
}

/** Time. */
export interface Clock {
  /** Milliseconds since 1970; may jump. */
  now(): number;
  /** Milliseconds since some moment; never goes back, may stand still while the machine sleeps. */
  monotonic(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(id: unknown): void;
}

/** What is used of a WebSocket. */
export interface WebSocketLike {
  onopen: ((event: never) => void) | null;
  /** The event's `data` is the text. */
  onmessage: ((event: never) => void) | null;
  /** The event's `code` is the close code. */
  onclose: ((event: never) => void) | null;
  onerror: ((event: never) => void) | null;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/**
 * What happens to the page or the app. `hide` and `show`: into and out of the back-forward cache; `freeze` and `resume`: the browser stops the page's tasks.
 */
export type PageEvent = 'visible' | 'hidden' | 'online' | 'offline' | 'freeze' | 'resume' | 'hide' | 'show' | 'interaction';

/** What the client knows of the page or the app. `./react-native` has one for AppState and NetInfo. */
export interface PagePort {
  isVisible(): boolean;
  subscribe(listener: (event: PageEvent) => void): () => void;
}

/** Counters since the client was made, but for what says otherwise. */
export interface RealtimeStats {
  /** Milliseconds since 1970; null while not connected. */
  readonly connectedSince: number | null;
  /** Connections tried. */
  readonly attempts: number;
  /** Connections lost and regained. */
  readonly reconnects: number;
  /** Connections handed over before their two hours were up. */
  readonly rotations: number;
  /** Events that arrived, doubles included. */
  readonly received: number;
  /** Events delivered that were missed while away. */
  readonly replayed: number;
  /** Events dropped because they had come before. */
  readonly duplicates: number;
  /** Times an event came before the one that precedes it. */
  readonly gaps: number;
  /** Events of types that the catalogue lacks. */
  readonly unknown: number;
  /** Errors of API Gateway itself on the socket. */
  readonly gatewayErrors: number;
  /** Milliseconds since 1970; null before the first. */
  readonly lastEventAt: number | null;
  readonly lastPongAt: number | null;
  /** Of the latest answer, in milliseconds. */
  readonly roundTripMs: number | null;
  /** The server's clock less this machine's, in milliseconds, as of the latest answer. */
  readonly clockOffsetMs: number | null;
  /** Of the last 256 live events; null before the first. */
  readonly latencyMs: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  /** The position; null before the first auth.success of the session. While state is being loaded it runs ahead of what handlers have got. */
  readonly sequence: number | null;
}

/** Ends a subscription. A second call does nothing. */
export type Unsubscribe = () => void;

/** Options of {@link RealtimeClient.subscribe}. */
export interface SubscribeOptions {
  /** Ends the subscription when it aborts. */
  readonly signal?: AbortSignal | undefined;
  /** Only events about this entity, or this kind of entity. */
  readonly where?: Partial<EntityRef> | undefined;
}

/** A connection to one tenant's events. Made by {@link createRealtimeClient}. */
export interface RealtimeClient {
  /** Immutable: the same object until something changes. */
  getStatus(): ConnectionStatus;
  onStatus(listener: (status: ConnectionStatus) => void): Unsubscribe;
  /**
   * Calls `handler` for each event that the selector names, once and in order. `'*'` stands for the catalogue's types; a type that the catalogue lacks must be named, itself or by its prefix.
   *
   * @example
   * ```ts
   * const stop = client.subscribe(['goal.*', 'issue.created'], (event, meta) => {
   *   if (event.type === 'issue.created' && !meta.own) show(event.data.title);
   * });
   * ```
   */
  subscribe<S extends EventSelector>(selector: S | readonly S[], handler: EventHandler<S>, options?: SubscribeOptions): Unsubscribe;
  /** The latest events of this session that were delivered, oldest first, for what mounts late. */
  recent<S extends EventSelector>(selector: S | readonly S[], where?: Partial<EntityRef>): readonly RealtimeEvent<Selected<S>>[];
  /** As the option `onResync`, for as many as need it. */
  onResync(listener: (resync: Resync) => void | Promise<unknown>): Unsubscribe;
  /**
   * Called when the client has forgotten a session, because it is another one or none any more, and before anything of the next arrives: forget what is shown of it, too.
   *
   * @example
   * ```ts
   * client.onSession(() => store.clear());
   * ```
   */
  onSession(listener: () => void): Unsubscribe;
  /** Idempotent; resolves when connected, rejects with a RealtimeError when the client stops or the signal aborts. */
  connect(options?: { readonly signal?: AbortSignal | undefined }): Promise<void>;
  /** Closes and stays closed until connect(). The position is kept. */
  disconnect(): void;
  /** Does not wait for the next attempt; also after a stop by an error or by `replaced`. */
  retryNow(): void;
  /** Asks the server now whether anything was missed; true = up to date, false = not connected, no answer, or something is on its way. */
  probe(): Promise<boolean>;
  /** Another user or tenant, or null for nobody: forgets everything of the old session before anything of the new one arrives. The same key does nothing. */
  setSession(key: string | null, options?: { readonly initialSequence?: number | undefined }): void;
  getStats(): RealtimeStats;
  /** Disconnects and drops all subscriptions. The client is of no use afterwards. */
  destroy(): void;
}
