/**
 * The server's side of the protocol, without a network and without timers: the fake server, the mock server and the simulation put their transport around it.
 *
 * - Numbers are contiguous for each tenant and begin at the Unix time in milliseconds.
 * - An event is numbered before it is posted; auth records the connection before it reads the log.
 * - It answers as docs/PROTOCOL.md says, with the limits that are named there.
 *
 * The caller hands in each frame that a client sends, says when a connection ended, and calls sweep() now and then.
 */
import type { ServerCode, ServerReason } from '../generated/protocol.js';

/** An event as the server keeps and sends it. */
export interface StoredEvent {
  readonly type: string;
  readonly timestamp: string;
  readonly eventId: string;
  readonly tenantId: string;
  readonly sequence: number;
  readonly data: Readonly<Record<string, unknown>>;
  readonly correlationId?: string;
}

/** An event as a producer hands it in. */
export interface ProducedEvent {
  readonly type: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** Default: made up. An id that the tenant's log knows changes nothing. */
  readonly eventId?: string | undefined;
  /** RFC 3339 with three decimals. Default: now. */
  readonly timestamp?: string | undefined;
  readonly correlationId?: string | undefined;
}

/** What a token says; or why it is refused. */
export type Verdict = { readonly tenantId: string; readonly userId: string; readonly expiresAt: number } | { readonly error: string; readonly reason?: ServerReason };

/** The transport of one connection. */
export interface Peer {
  /** Sends one message; may lose it. */
  post(message: object): void;
  /** Ends the connection. left() need not be called afterwards. */
  close(code: number): void;
}

/** One connection, as the server sees it. */
export interface ServerConnection {
  readonly id: string;
  /** Whose it is; undefined before auth. */
  readonly tenantId: string | undefined;
  /** Takes one text frame. */
  receive(text: string): void;
  /** The client left. */
  left(): void;
  /** Posts whatever is given, such as an error of the gateway. */
  post(message: object): void;
  /** Posts a control message. */
  control(type: string, data: object): void;
  /** Closes, as the server does: after a connection_error that says why, or without a word. */
  end(refusal?: Refusal, code?: number): void;
}

/** Why something is refused. */
export interface Refusal {
  readonly code: ServerCode;
  readonly error?: string | undefined;
  readonly reason?: ServerReason | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** Limits of docs/PROTOCOL.md, in its units. */
export interface Limits {
  /** Events of one replay. Default 100. */
  readonly replayEvents: number;
  /** Bytes of one replay. Default 524288. */
  readonly replayBytes: number;
  /** Bytes of one batch. Default 32768. */
  readonly batchBytes: number;
  /** Milliseconds an event is kept. Default 86400000. */
  readonly retentionMs: number;
  /** Connections of one user. Default 20. */
  readonly connections: number;
  /** Milliseconds to authenticate. Default 30000. */
  readonly authMs: number;
}

const DEFAULTS: Limits = { replayEvents: 100, replayBytes: 524_288, batchBytes: 32_768, retentionMs: 86_400_000, connections: 20, authMs: 30_000 };

/** Options of {@link createProtocolServer}. */
export interface ProtocolServerOptions {
  /** Milliseconds since 1970. */
  now(): number;
  verify(token: string): Verdict;
  readonly limits?: Partial<Limits> | undefined;
  /** Asked before auth and ping are answered: a refusal is sent instead. */
  readonly refuse?: ((action: 'auth' | 'ping') => Refusal | undefined) | undefined;
}

/** Made by {@link createProtocolServer}. */
export interface ProtocolServer {
  connect(peer: Peer): ServerConnection;
  /** Numbers, keeps and posts one event. */
  publish(tenantId: string, event: ProducedEvent): StoredEvent;
  /** The number of the tenant's last event. */
  head(tenantId: string): number;
  /** What is kept of the tenant's events, oldest first. */
  log(tenantId: string): readonly StoredEvent[];
  /** Loses the tenant's log: it begins anew, above every number given before. */
  restart(tenantId: string): void;
  /** Forgets what is kept of the tenant's events. */
  truncate(tenantId: string): void;
  /** The connections that are open. */
  connections(): readonly ServerConnection[];
  /** Closes connections that are not authenticated in time, or whose token has ended. */
  sweep(): void;
}

interface Connection extends ServerConnection {
  tenantId: string | undefined;
  userId: string;
  expiresAt: number;
  readonly since: number;
  failures: number;
  batches: boolean;
  open: boolean;
}
interface Kept {
  readonly event: StoredEvent;
  readonly at: number;
  readonly size: number;
}
interface Log {
  head: number;
  events: Kept[];
  readonly ids: Map<string, StoredEvent>;
}

/** Bytes of an event in UTF-8, at most: three for whatever is not ASCII. */
const bytes = (event: StoredEvent): number => {
  const text = JSON.stringify(event);
  const others = text.match(/[^\x00-\x7f]/g);
  return text.length + (others ? 2 * others.length : 0);
};
/** Bytes of a ref that is repeated: in the answer to a message, and to one that is none. */
const LONGEST_REF = 256;
const LONGEST_UNKNOWN_REF = 64;
/** Bytes in UTF-8. Jest's browsers lack TextEncoder. */
const utf8 = (text: string): number => Array.from(text, (c) => c.codePointAt(0) as number).reduce((sum, c) => sum + (c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4), 0);
const isPosition = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
const isRef = (value: unknown, longest: number): boolean => value == null || (typeof value === 'string' && utf8(value) <= longest);

/** What can't be read in a message, or undefined. A field that is null counts as absent. */
const unreadable = ({ ref, token, lastSequence, lastEventId, accept, protocol, replaces }: Record<string, unknown>): string | undefined => {
  if (!isRef(ref, LONGEST_REF)) return 'ref must be a string of at most ' + LONGEST_REF + ' bytes';
  if (lastSequence != null && !isPosition(lastSequence)) return 'lastSequence must be a whole number from 0 to ' + Number.MAX_SAFE_INTEGER;
  if (protocol != null && !Number.isInteger(protocol)) return 'protocol must be a whole number';
  if (accept != null && !(Array.isArray(accept) && accept.every((word) => typeof word === 'string'))) return 'accept must be an array of strings';
  for (const [name, value] of [['token', token], ['lastEventId', lastEventId], ['replaces', replaces]]) if (value != null && typeof value !== 'string') return String(name) + ' must be a string';
  return undefined;
};

/** Makes a server that keeps everything in memory. */
export function createProtocolServer({ now, verify, limits: given, refuse }: ProtocolServerOptions): ProtocolServer {
  const limits = { ...DEFAULTS, ...given };
  const logs = new Map<string, Log>();
  const all = new Set<Connection>();
  let made = 0;

  const stamp = (): string => new Date(now()).toISOString();
  const logOf = (tenantId: string): Log => {
    let log = logs.get(tenantId);
    if (!log) logs.set(tenantId, (log = { head: Math.floor(now()), events: [], ids: new Map() }));
    while (log.events[0] && log.events[0].at <= now() - limits.retentionMs) {
      const gone = log.events.shift();
      if (gone) log.ids.delete(gone.event.eventId);
    }
    return log;
  };

  /** Events in order, in as few frames as the client takes. */
  const postEvents = (c: Connection, events: readonly Kept[]): void => {
    if (!c.batches) return events.forEach(({ event }) => c.post(event));
    let batch: StoredEvent[] = [];
    let total = 0;
    const flush = (): void => {
      if (batch.length === 1) c.post(batch[0] as StoredEvent);
      else if (batch.length) c.control('batch', { events: batch });
      batch = [];
      total = 0;
    };
    for (const { event, size } of events) {
      if (total + size + 1 > limits.batchBytes - 100) flush();
      batch.push(event);
      total += size + 1;
    }
    flush();
  };

  /** Posts what lies between the position and the head. */
  const replay = (c: Connection, message: Record<string, unknown>): object => {
    const log = logOf(c.tenantId as string);
    const { lastSequence, lastEventId } = message;
    const answer = { sequence: log.head, ...(message.ref ? { ref: message.ref } : {}) };
    if (lastSequence == null && lastEventId == null) return answer;
    const named = typeof lastEventId === 'string' ? log.ids.get(lastEventId) : undefined;
    const after = isPosition(lastSequence) ? lastSequence : named && named.sequence;
    const oldest = log.head - log.events.length;
    if (after === undefined) return { ...answer, recovered: false };
    if ((lastEventId != null && (!named || named.sequence !== after)) || after > log.head || after < oldest) return { ...answer, after, recovered: false };
    const page: Kept[] = [];
    let total = 0;
    for (const kept of log.events.slice(after - oldest, after - oldest + limits.replayEvents)) {
      if (total >= limits.replayBytes) break;
      page.push(kept);
      total += kept.size;
    }
    postEvents(c, page);
    return { ...answer, after, recovered: true, ...(after + page.length < log.head && { more: true }) };
  };

  const refused = (c: Connection, type: 'auth.error' | 'connection_error', { code, error, reason, retryAfterMs }: Refusal, ref?: unknown): void =>
    c.control(type, {
      error: error || code,
      code,
      ...(reason !== undefined && { reason }),
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(typeof ref === 'string' && ref && isRef(ref, LONGEST_REF) && { ref }),
    });

  const auth = (c: Connection, message: Record<string, unknown>): void => {
    const { token, ref } = message;
    const fail = (refusal: Refusal): void => {
      refused(c, 'auth.error', refusal, ref);
      if (refusal.code !== 'RATE_LIMIT_EXCEEDED' && refusal.code !== 'INTERNAL_ERROR' && ++c.failures >= 3) c.end();
    };
    const refusal = refuse && refuse('auth');
    if (refusal) return fail(refusal);
    const wrong = unreadable(message);
    if (wrong) return fail({ code: 'VALIDATION_ERROR', error: wrong });
    if (message.protocol != null && message.protocol !== 1) return fail({ code: 'FORBIDDEN', reason: 'upgrade', error: 'this server speaks protocol 1 only' });
    if (typeof token !== 'string' || !token) return fail({ code: 'VALIDATION_ERROR', error: 'token is missing' });
    const verdict = verify(token);
    if ('error' in verdict) return fail({ code: 'UNAUTHORIZED', ...verdict });
    if (verdict.expiresAt <= now()) return fail({ code: 'UNAUTHORIZED', reason: 'token_expired', error: 'the token has ended' });
    if (c.tenantId !== undefined && (c.tenantId !== verdict.tenantId || c.userId !== verdict.userId)) return fail({ code: 'FORBIDDEN', error: 'the connection is of another tenant or user' });
    c.tenantId = verdict.tenantId;
    c.userId = verdict.userId;
    c.expiresAt = verdict.expiresAt;
    c.failures = 0;
    c.batches = Array.isArray(message.accept) && message.accept.indexOf('batch') >= 0;
    const answer = replay(c, message);

    const mine = Array.from(all).filter((o) => o !== c && o.tenantId === c.tenantId && o.userId === c.userId && o.expiresAt > now());
    const replaced = mine.filter((o) => o.id === message.replaces);
    const others = mine.filter((o) => o.id !== message.replaces).sort((a, b) => a.since - b.since);
    for (const o of replaced.concat(others.slice(0, Math.max(0, others.length + 1 - limits.connections)))) o.end({ code: 'FORBIDDEN', reason: 'replaced', error: 'a newer connection took its place' });

    c.control('auth.success', {
      tenantId: c.tenantId,
      userId: c.userId,
      connectionId: c.id,
      expiresAt: new Date(c.expiresAt).toISOString(),
      protocol: 1,
      accepted: c.batches ? ['batch'] : [],
      ...answer,
    });
  };

  const ping = (c: Connection, message: Record<string, unknown>): void => {
    const refusal = refuse && refuse('ping');
    if (refusal) return refused(c, 'connection_error', refusal, message.ref);
    const { lastSequence, ref } = message;
    const wrong = unreadable({ lastSequence, ref });
    if (wrong) return refused(c, 'connection_error', { code: 'VALIDATION_ERROR', error: wrong }, ref);
    if (c.tenantId === undefined) return refused(c, 'connection_error', { code: 'UNAUTHORIZED', error: 'not authenticated' }, message.ref);
    if (c.expiresAt <= now()) return refused(c, 'connection_error', { code: 'UNAUTHORIZED', reason: 'token_expired', error: 'the token has ended' }, message.ref);
    c.control('pong', replay(c, message));
  };

  const receive = (c: Connection, text: string): void => {
    if (!c.open) return;
    let message: Record<string, unknown> = {};
    try {
      message = Object(JSON.parse(text)) as Record<string, unknown>;
    } catch {
      // No JSON is no action.
    }
    if (message.action === 'auth') auth(c, message);
    else if (message.action === 'ping') ping(c, message);
    else refused(c, 'connection_error', { code: 'VALIDATION_ERROR', error: 'unknown action' }, isRef(message.ref, LONGEST_UNKNOWN_REF) ? message.ref : undefined);
  };

  return {
    connect(peer) {
      const c: Connection = {
        id: 'c' + ++made + '=',
        tenantId: undefined,
        userId: '',
        expiresAt: 0,
        since: now(),
        failures: 0,
        batches: false,
        open: true,
        receive: (text) => receive(c, text),
        left() {
          c.open = false;
          all.delete(c);
        },
        post: (message) => c.open && peer.post(message),
        control: (type, data) => c.post({ type, timestamp: stamp(), data }),
        end(refusal, code = 1000) {
          if (!c.open) return;
          if (refusal) refused(c, 'connection_error', refusal);
          c.left();
          peer.close(code);
        },
      };
      all.add(c);
      return c;
    },
    publish(tenantId, { type, data, eventId, timestamp, correlationId }) {
      const log = logOf(tenantId);
      const known = eventId !== undefined ? log.ids.get(eventId) : undefined;
      if (known) return known;
      const sequence = ++log.head;
      const event: StoredEvent = {
        type,
        timestamp: timestamp || stamp(),
        eventId: eventId || 'e-' + sequence,
        tenantId,
        sequence,
        data: { ...data, tenantId },
        ...(correlationId !== undefined && { correlationId }),
      };
      log.events.push({ event, at: now(), size: bytes(event) });
      log.ids.set(event.eventId, event);
      for (const c of Array.from(all)) if (c.tenantId === tenantId && c.expiresAt > now()) c.post(event);
      return event;
    },
    head: (tenantId) => logOf(tenantId).head,
    log: (tenantId) => logOf(tenantId).events.map(({ event }) => event),
    restart(tenantId) {
      logs.set(tenantId, { head: Math.max(Math.floor(now()), logOf(tenantId).head + 1), events: [], ids: new Map() });
    },
    truncate(tenantId) {
      const log = logOf(tenantId);
      log.events = [];
      log.ids.clear();
    },
    connections: () => Array.from(all),
    sweep() {
      for (const c of Array.from(all)) {
        if (c.tenantId === undefined) {
          if (now() - c.since >= limits.authMs) c.end({ code: 'UNAUTHORIZED', reason: 'auth_deadline', error: 'no auth came in time' });
        } else if (c.expiresAt <= now()) c.end({ code: 'UNAUTHORIZED', reason: 'token_expired', error: 'the token has ended' });
      }
    },
  };
}
