import type { RealtimeError } from './error.js';
import type { PageEvent, RealtimeOptions, Resync, TokenReason } from './options.js';

/** The envelope of an event as far as the machine looks at it. */
export interface Envelope {
  readonly type: string;
  readonly timestamp: string;
  readonly eventId?: string;
  readonly tenantId?: string;
  readonly sequence?: number;
  readonly stream?: unknown;
  readonly data: object;
}

/** An event on its way to the application. */
export interface Delivery {
  readonly event: Envelope;
  readonly replayed: boolean;
  /** Milliseconds since 1970. */
  readonly receivedAt: number;
}

/** A ping without an answer yet. */
export interface Ping {
  readonly ref: string;
  readonly at: number;
  /** How often the question was repeated. */
  readonly tries: number;
  /** Asked, or waited for, at a wake. */
  readonly woken: boolean;
}

/** One socket. Times are the machine's. */
export interface Link {
  readonly id: number;
  readonly at: number;
  open: boolean;
  /** Authenticated. */
  live: boolean;
  /** Takes over from a connection that is in use. */
  successor: boolean;
  /** Kept until the server has accepted it, to be sent again. */
  token: string;
  /** Of the latest auth, while it has no answer. */
  ref: string;
  /** When the latest auth was sent. */
  sent: number;
  /** The server put auth off: its timer sends it once more. */
  again: boolean;
  /** A token was refused, and a fresh one asked for. */
  rejected: boolean;
  /** How often auth was put off by the server. */
  tries: number;
  /** When the last frame came. */
  rx: number;
  ping?: Ping | undefined;
  /** Events that came before auth.success. */
  early: readonly Envelope[];
  /** The largest sequence among them, kept or not. */
  top: number;
}

/** Deadlines by name, in the machine's time. */
export interface Timers {
  /** getToken has not answered. */
  token?: number;
  /** The handshake, or the answer to the first auth, does not come; or the first auth is sent once more. */
  open?: number;
  /** The next attempt. */
  retry?: number;
  /** The same for an auth on a connection that is in use. */
  auth?: number;
  /** Keep-alive. */
  ping?: number;
  /** A ping without an answer. */
  probe?: number;
  /** A gap has not closed by itself. */
  heal?: number;
  /** The replay that goes on has not begun to arrive. */
  more?: number;
  rotate?: number;
  renew?: number;
  /** The predecessor is closed. */
  old?: number;
  /** The application has had its time to load state. */
  hold?: number;
  /** Look at the clocks. */
  tick?: number;
}

/** Everything the client knows. Never changed in place: {@link step} makes the next one. */
export interface State {
  readonly options: Settings;
  /** Machine time in milliseconds: sleep counts, and it never goes back. */
  t: number;
  now: number;
  mono: number;
  /** How far `now` is ahead of `mono`, as of the last jump. */
  skew: number;
  /** Names sockets, token requests and holds. */
  ids: number;

  /** Why nothing is to happen. */
  off: 'not-started' | 'closed' | 'signed-out' | 'replaced' | null;
  fatal?: RealtimeError | undefined;
  /** In the back-forward cache. */
  paused: boolean;
  visible: boolean;
  offline: boolean;
  session: string | null | undefined;

  /** What is used, or being made when there is no other. */
  link?: Link | undefined;
  /** The successor being made. */
  next?: Link | undefined;
  /** The predecessor, still heard. */
  old?: Link | undefined;
  /** The token asked for; `link` is the socket it is for, 0 = one to be opened. */
  token?: { readonly id: number; readonly link: number } | undefined;
  timers: Timers;

  /** Milliseconds since 1970; null while not connected. */
  since: number | null;
  lostAt: number | null;
  /** Failures in a row. */
  attempt: number;
  /** Handshakes in a row that failed, until the first that succeeds. */
  unopened: number;
  retryAfter: number;
  /** The last token was refused. */
  rejected: boolean;
  error?: RealtimeError | undefined;
  /** When the token ends, in machine time. */
  expires: number;
  /** The same as the server wrote it, in milliseconds since 1970. */
  expiresAt: number;
  renewals: number;
  probed: number;
  /** Probes of the application that wait for a pong. */
  asked: readonly number[];

  tenant: string;
  user: string;
  conn: string;
  /** Undefined until the session has one. */
  position: number | undefined;
  head: number;
  /** Events at or below it that arrive now were missed. */
  replayTo: number;
  held: ReadonlyMap<number, Envelope>;
  /** The position the latest healing ping was sent from, and how many went out from there in vain. */
  healing: number;
  stuck: number;
  /** The position an unfinished replay was asked from. */
  more?: number | undefined;
  /** The resync whose loading events wait for. */
  hold: number;
  queue: readonly Delivery[];

  count: Counters;
}

/** The options as the machine uses them. */
export type Settings = Pick<RealtimeOptions, 'url' | 'backoff' | 'ping' | 'rotateAfterMs' | 'recovery'>;

export interface Counters {
  attempts: number;
  reconnects: number;
  rotations: number;
  received: number;
  replayed: number;
  duplicates: number;
  gaps: number;
  gatewayErrors: number;
  lastEventAt: number | null;
  lastPongAt: number | null;
  roundTripMs: number | null;
  clockOffsetMs: number | null;
}

/** What can happen. */
export type Input =
  | { readonly is: 'connect' | 'disconnect' | 'retry' | 'timer' }
  | { readonly is: 'session'; readonly key: string | null; readonly position?: number | undefined }
  | { readonly is: 'ask'; readonly id: number }
  | { readonly is: 'loaded'; readonly id: number }
  | { readonly is: 'token'; readonly id: number; readonly token?: string | null; readonly cause?: unknown; readonly fatal?: boolean }
  | { readonly is: 'open'; readonly id: number }
  | { readonly is: 'close'; readonly id: number; readonly code?: number; readonly cause?: unknown }
  | { readonly is: 'message'; readonly id: number; readonly message: unknown }
  | { readonly is: 'page'; readonly event: PageEvent };

/** What is to be done. */
export type Effect =
  | { readonly do: 'token'; readonly id: number; readonly reason: TokenReason }
  | { readonly do: 'abort' }
  | { readonly do: 'open'; readonly id: number }
  | { readonly do: 'close'; readonly id: number }
  | { readonly do: 'send'; readonly id: number; readonly message: object }
  | { readonly do: 'deliver'; readonly events: readonly Delivery[] }
  | { readonly do: 'forget' }
  | { readonly do: 'resync'; readonly id: number; readonly resync: Resync }
  | { readonly do: 'answer'; readonly ids: readonly number[]; readonly upToDate: boolean }
  | { readonly do: 'error'; readonly error: RealtimeError }
  | { readonly do: 'log'; readonly what: string; readonly code: string };

/** Hears of one step of the machine: the state after it, what came, what is to be done. All three hold tokens: not for logs. */
export type Inspector = (state: State, input: Input, effects: readonly Effect[]) => void;

/** What a client has beside its public interface, for RealtimeDebugPanel: to hear of every step from now on, and to say what has happened where nothing has. */
export interface Inspectable {
  inspect(inspector: Inspector): readonly [stop: () => void, send: (input: Input) => void];
}

/** The state of a client that was just made. */
export const initial = (options: Settings, session: string | null | undefined, position: number | undefined, now: number, mono: number): State => ({
  options,
  t: 0,
  now,
  mono,
  skew: now - mono,
  ids: 0,
  off: 'not-started',
  paused: false,
  visible: true,
  offline: false,
  session,
  timers: {},
  since: null,
  lostAt: null,
  attempt: 0,
  unopened: 0,
  retryAfter: 0,
  rejected: false,
  expires: 0,
  expiresAt: 0,
  renewals: 0,
  probed: 0,
  asked: [],
  tenant: '',
  user: '',
  conn: '',
  position,
  head: 0,
  replayTo: 0,
  held: new Map(),
  healing: -1,
  stuck: 0,
  hold: 0,
  queue: [],
  count: {
    attempts: 0,
    reconnects: 0,
    rotations: 0,
    received: 0,
    replayed: 0,
    duplicates: 0,
    gaps: 0,
    gatewayErrors: 0,
    lastEventAt: null,
    lastPongAt: null,
    roundTripMs: null,
    clockOffsetMs: null,
  },
});
