/** What the server says, and what it changes. */
import type { ServerReason } from '../generated/protocol.js';
import { answerAsked, authTimer, closeAll, drop, fail, linksOf, problem, report, sent, stop } from './connection.js';
import { realtimeError } from './error.js';
import type { ErrorCode, RealtimeError } from './error.js';
import { accept, answer, forget } from './recovery.js';
import type { Draft } from './recovery.js';
import { rejected, renewLater } from './renewal.js';
import type { Envelope, Link, State } from './state.js';

interface Answer {
  readonly sequence: number;
  readonly after?: number;
  readonly recovered?: boolean;
  readonly more?: boolean;
  readonly ref?: string;
}
interface AuthSuccess extends Answer {
  readonly tenantId: string;
  readonly userId: string;
  readonly connectionId: string;
  readonly expiresAt: string;
}
interface Refusal {
  readonly error: string;
  readonly code: ErrorCode;
  readonly reason?: ServerReason;
  readonly retryAfterMs?: number;
  readonly ref?: string;
}

const refused = (s: Draft, { code, error, reason, retryAfterMs }: Refusal): RealtimeError => {
  s.retryAfter = retryAfterMs || 0;
  return report(s, realtimeError(code, error, s.now, code !== 'FORBIDDEN' && code !== 'VALIDATION_ERROR' && code !== 'NOT_FOUND', { reason }));
};

/** Round trip and difference of the clocks, from an answer to a question sent at `at`. */
const measure = (s: State, at: number, timestamp: unknown): void => {
  const server = Date.parse(timestamp as string);
  s.count.roundTripMs = s.t - at;
  if (server === server) s.count.clockOffsetMs = Math.round(server - s.now + (s.t - at) / 2);
};

/** What the application has asked is answered with what the server has just said. */
const conclude = (s: Draft, { recovered, more, sequence }: Answer): void => {
  const { position } = s;
  answerAsked(s, recovered !== false && !more && (position as number) >= sequence);
};

const authSuccess = (s: Draft, link: Link, data: AuthSuccess, timestamp: string): void => {
  const { timers } = s;
  const renewal = link.live;
  if (data.ref === link.ref) measure(s, link.sent, timestamp);
  const changed = s.tenant !== '' && (s.tenant !== data.tenantId || s.user !== data.userId);
  if (changed) {
    for (const other of linksOf(s)) if (other !== link && other !== s.next) drop(s, other);
    forget(s);
  }
  const alone = !link.successor && !renewal;
  s.tenant = data.tenantId;
  s.user = data.userId;
  s.conn = data.connectionId;
  s.rejected = link.rejected = false;
  s.retryAfter = link.tries = 0;
  delete timers[authTimer(link)];
  link.live = true;
  link.ref = link.token = '';
  link.again = false;
  if (link === s.next) {
    if (s.old) drop(s, s.old);
    s.old = s.link;
    timers.old = s.t + 2000;
    s.link = link;
    s.next = undefined;
    delete timers.auth;
    delete timers.probe;
  }
  if (!renewal) {
    if (link.successor) s.count.rotations++;
    s.unopened = 0;
    const rotate = s.options.rotateAfterMs ?? [6_000_000, 6_900_000];
    if (rotate) timers.rotate = link.at + rotate[0] + s.rnd * (rotate[1] - rotate[0]);
    sent(s, link);
  }

  const expiresAt = Date.parse(data.expiresAt);
  const life = expiresAt - Date.parse(timestamp);
  if (life === life) {
    const later = expiresAt > s.expiresAt;
    s.expires = s.t + life;
    s.expiresAt = expiresAt;
    if (renewal && !later) renewLater(s, problem(s, 'TOKEN_UNAVAILABLE', 'getToken({reason: "refresh"}) gave a token that ends no later than the present one'));
    else {
      s.renewals = 0;
      timers.renew = s.t + Math.max(1000, life * 0.8);
    }
  }

  // To another session the position that was sent means nothing.
  answer(s, changed ? { sequence: data.sequence } : data);
  conclude(s, data);
  if (alone && data.after !== undefined && !changed) s.replayTo = data.sequence;
  const { early, top } = link;
  link.early = [];
  s.head = Math.max(s.head, top);
  for (const event of early) accept(s, link, event);
};

const authError = (s: Draft, link: Link, data: Refusal): void => {
  if (data.ref !== undefined && data.ref !== link.ref) return;
  const error = refused(s, data);
  link.ref = '';
  if (data.code === 'UNAUTHORIZED') rejected(s, link, error);
  else if (data.code === 'RATE_LIMIT_EXCEEDED' || data.code === 'INTERNAL_ERROR') {
    if (link.tries > 3 && !link.live) return fail(s, link);
    authLater(s, link, data.retryAfterMs);
  } else if (data.code === 'FORBIDDEN' && link.live && !data.reason) fail(s, link); // another tenant or user: they need a connection of their own
  else stop(s, error);
};
const authLater = (s: Draft, link: Link, atLeast = 0): void => {
  link.again = true;
  s.timers[authTimer(link)] = s.t + Math.max(atLeast, 1000 * 2 ** Math.min(link.tries++, 3)) + s.rnd * 1000;
};

const connectionError = (s: Draft, link: Link, data: Refusal): void => {
  const { timers } = s;
  const { code, reason, ref } = data;
  if (ref !== undefined) {
    if (ref !== link.ping?.ref) return;
    link.ping = undefined;
    delete timers.probe;
    answerAsked(s, false);
    refused(s, data);
    if (code === 'UNAUTHORIZED') rejected(s, link);
    else timers.heal = s.t + Math.max(data.retryAfterMs || 0, 1000 * 2 ** Math.min(s.stuck, 3)) + s.rnd * 1000;
    return;
  }
  // That the successor takes this one's place is what it was asked to do.
  if (reason === 'replaced' && s.next?.sent) return fail(s, link);
  const error = refused(s, data);
  if (reason === 'draining') timers.rotate = s.t + s.rnd * 5000;
  else if (reason === 'replaced') {
    closeAll(s);
    s.off = 'replaced';
  } else if (code === 'FORBIDDEN') stop(s, error);
  else if (code === 'UNAUTHORIZED') {
    s.rejected = reason === 'token_expired';
    fail(s, link);
  }
};

const pong = (s: Draft, link: Link, data: Answer, timestamp: string): void => {
  s.count.lastPongAt = s.now;
  const { ping } = link;
  const awaited = ping && ping.ref === data.ref;
  if (awaited) {
    measure(s, ping.at, timestamp);
    link.ping = undefined;
    delete s.timers.probe;
  }
  // A double must not ask for the next page once more: two chains of questions would never become one again.
  answer(s, awaited ? data : { ...data, more: false });
  if (awaited) conclude(s, data);
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => Number.isSafeInteger(value);
const isEnvelope = (value: unknown): value is Envelope =>
  isObject(value) && typeof value.type === 'string' && isObject(value.data) && (value.sequence === undefined || isNumber(value.sequence));

export const message = (s: Draft, link: Link, value: unknown): void => {
  const protocol = (): void => void report(s, problem(s, 'PROTOCOL', 'Not a message of the protocol'));
  link.rx = s.t;
  if (isObject(value) && value.type === undefined && value.connectionId && value.requestId) {
    s.count.gatewayErrors++;
    s.fx.push({ do: 'log', what: 'gateway', code: String(value.message) });
    // It does not say which message was lost. A ping is repeated anyway.
    if (link.ref) {
      link.ref = '';
      authLater(s, link);
    }
    return;
  }
  if (!isEnvelope(value)) return protocol();
  const { type, data, timestamp } = value;
  const answers = (data as Partial<Answer>).sequence;
  if (type === 'batch') {
    const { events } = data as { events?: unknown };
    if (!Array.isArray(events)) return protocol();
    for (const event of events) isEnvelope(event) ? accept(s, link, event) : protocol();
  } else if (!/^(auth\.(success|error)|connection_error|pong|rotate)$/.test(type)) accept(s, link, value);
  else if (link === s.old) return;
  else if (type === 'auth.error') authError(s, link, data as Refusal);
  else if (type === 'connection_error') connectionError(s, link, data as Refusal);
  else if (type === 'rotate') s.timers.rotate = s.t + s.rnd * (Number((data as { withinMs?: unknown }).withinMs) || 0);
  else if (!isNumber(answers)) protocol();
  else if (type === 'pong') link.live && pong(s, link, data as Answer, timestamp);
  else if (typeof (data as AuthSuccess).tenantId === 'string') authSuccess(s, link, data as AuthSuccess, timestamp);
  else protocol();
};
