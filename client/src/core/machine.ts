/**
 * The client as a pure state machine: `step(state, input, moment)` gives the next state and what is to be done. It reads no clock, draws no random number and touches no socket.
 *
 * Its time is the monotonic clock's and what the other one jumps ahead of it: sleep counts, and a clock that is set back does no harm.
 */
import type { ServerReason } from '../generated/protocol.js';
import { realtimeError } from './error.js';
import type { ErrorCode, RealtimeError } from './error.js';
import type { TokenReason } from './options.js';
import { accept, answer, forget, heal, loaded, settle } from './recovery.js';
import type { Draft } from './recovery.js';
import type { Effect, Envelope, Input, Link, Ping, State, Timers } from './state.js';
import { VERSION } from './version.js';

/** When an input came, and one random number for whatever it makes the machine draw. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly mono: number;
  /** From 0 to below 1. */
  readonly random: number;
}

const CAPS = [1000, 2000, 4000, 8000, 16_000, 30_000];
/** Milliseconds for a handshake, for an answer: what the server does not answer in 10 s it does not answer at all. */
const ANSWER = 10_000;

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

const problem = (s: Draft, code: ErrorCode, text: string, cause?: unknown, fatal?: boolean): RealtimeError => realtimeError(code, text, s.now, !fatal, { cause });
const report = (s: Draft, error: RealtimeError): RealtimeError => {
  s.fx.push({ do: 'error', error });
  return (s.error = error);
};
const refused = (s: Draft, { code, error, reason, retryAfterMs }: Refusal): RealtimeError => {
  s.retryAfter = retryAfterMs || 0;
  return report(s, realtimeError(code, error, s.now, code !== 'FORBIDDEN' && code !== 'VALIDATION_ERROR' && code !== 'NOT_FOUND', { reason }));
};

// Sending

const sent = (s: Draft, link: Link): void => {
  if (link !== s.link) return;
  const { intervalMs = 480_000, visibleIntervalMs } = s.options.ping || {};
  // Only downwards: a background page's timer may be a minute late, and the wall is at 10 minutes.
  s.timers.ping = s.t + ((s.visible && visibleIntervalMs) || intervalMs) * (1 - s.rnd / 10);
};

const sendPing = (s: Draft, link: Link, tries = 0): void => {
  // Repeated under the same name: one answer answers both.
  const ref = link.ping ? link.ping.ref : 'p' + ++s.ids;
  link.ping = { ref, at: s.t, tries };
  s.fx.push({ do: 'send', id: link.id, message: { action: 'ping', ref, ...(s.position !== null && { lastSequence: s.position }) } });
  s.timers.probe = s.t + (s.options.ping?.timeoutMs ?? 5000);
  delete s.timers.heal;
  sent(s, link);
};
const probe = (s: Draft): void => {
  const { link } = s;
  s.probed = s.t;
  if (link && link.live && !link.ping) sendPing(s, link);
};

const sendAuth = (s: Draft, link: Link): void => {
  link.ref = 'a' + ++s.ids;
  link.sent = s.t;
  link.again = false;
  s.fx.push({
    do: 'send',
    id: link.id,
    message: {
      action: 'auth',
      token: link.token,
      accept: ['batch'],
      protocol: 1,
      client: { name: '@purposepath/realtime', version: VERSION },
      ref: link.ref,
      ...(s.position !== null && { lastSequence: s.position }),
      ...(link.successor && !link.live && { replaces: s.conn }),
    },
  });
  s.timers[link.live ? 'auth' : 'open'] = s.t + ANSWER;
  sent(s, link);
};

// Connections, made and lost

const drop = (s: Draft, link: Link): void => {
  s.fx.push({ do: 'close', id: link.id });
  if (link === s.link) s.link = undefined;
  if (link === s.next) s.next = undefined;
  if (link === s.old) s.old = undefined;
};
const abort = (s: Draft): void => {
  if (s.token) s.fx.push({ do: 'abort' });
  s.token = undefined;
  delete s.timers.token;
};
const answerAsked = (s: Draft, upToDate: boolean): void => {
  const { asked } = s;
  if (asked.length) s.fx.push({ do: 'answer', ids: asked, upToDate });
  s.asked = [];
};
/** No connection, and no attempt at one. The application may go on loading state. */
const closeAll = (s: Draft): void => {
  const { hold } = s.timers;
  for (const link of [s.link, s.next, s.old]) link && drop(s, link);
  abort(s);
  answerAsked(s, false);
  s.timers = hold === undefined ? {} : { hold };
  s.since = null;
  s.more = undefined;
};
const stop = (s: Draft, error: RealtimeError): void => {
  closeAll(s);
  s.fatal = error;
};

const ask = (s: Draft, reason: TokenReason, link: number): void => {
  const id = ++s.ids;
  s.token = { id, link };
  s.timers.token = s.t + 30_000;
  s.fx.push({ do: 'token', id, reason });
};
const begin = (s: Draft): void => {
  if (s.off || s.fatal || s.paused || s.link || s.token) return;
  delete s.timers.retry;
  ask(s, s.rejected ? 'rejected' : 'connect', 0);
};
const rotateLater = (s: Draft): void => {
  s.timers.rotate = s.t + 30_000 * (1 + s.rnd);
};

/** There is no connection any more: the next attempt after a random time. */
const lost = (s: Draft): void => {
  const { capsMs = CAPS, stableAfterMs = 10_000 } = s.options.backoff || {};
  const { hold } = s.timers;
  if (s.old) drop(s, s.old);
  abort(s);
  answerAsked(s, false);
  if (s.since !== null && s.now - s.since >= stableAfterMs) s.attempt = 0;
  if (s.lostAt === null) s.lostAt = s.now;
  s.since = null;
  s.more = undefined;
  const cap = capsMs[Math.min(s.attempt++, capsMs.length - 1)] || 0;
  s.timers = { retry: s.t + (s.retryAfter ? s.retryAfter + s.rnd * 1000 : s.rnd * cap) };
  if (hold !== undefined) s.timers.hold = hold;
  s.retryAfter = 0;
};

/** A socket is of no use any more. */
const fail = (s: Draft, link: Link): void => {
  const { timers, next } = s;
  const wasNext = link === next;
  const wasOld = link === s.old;
  drop(s, link);
  if (wasOld) return;
  if (!link.open && !s.offline && ++s.unopened === 5)
    report(
      s,
      problem(s, 'NEVER_OPENED', 'Five handshakes in a row failed, and a browser does not say why. Likely: the URL or its stage is wrong; AllowedOrigins lacks this origin; the Content-Security-Policy lacks connect-src, or an https page uses ws:; a proxy blocks WebSockets, or the server is down.'),
    );
  if (wasNext) {
    delete timers.open;
    delete timers.auth;
    rotateLater(s);
  } else if (next) {
    // The successor is under way: the two feed one stream, and nobody needs to know.
    s.link = next;
    s.next = undefined;
    if (!next.sent) {
      next.successor = false;
      s.since = null;
      s.lostAt = s.now;
    }
    for (const name of ['ping', 'probe', 'heal', 'more', 'renew', 'rotate'] as const) delete timers[name];
  } else lost(s);
};

/** Sleep, or somebody looks: believe nothing. */
const wake = (s: Draft): void => {
  const { link, t } = s;
  probe(s);
  // A handshake begun before may never end.
  if (link && !link.live && t - link.rx > 3000) drop(s, link);
  begin(s);
};

// Tokens

const renewLater = (s: Draft, error: RealtimeError): void => {
  if (!s.renewals++) report(s, error);
  if (s.renewals <= 5) s.timers.renew = s.t + Math.max(30_000, (s.expires - s.t) / 2);
  delete s.timers.auth;
};
const tokenFailed = (s: Draft, link: number, error: RealtimeError): void => {
  const target = find(s, link);
  if (target && target.live) return renewLater(s, error);
  report(s, error);
  if (target) fail(s, target);
  else if (s.link) rotateLater(s);
  else lost(s);
};
const rejected = (s: Draft, link: Link, error?: RealtimeError): void => {
  if (!link.rejected && !s.token) {
    link.rejected = true;
    delete s.timers.open;
    ask(s, 'rejected', link.id);
  } else if (link.live && error) renewLater(s, error);
  else {
    s.rejected = true;
    fail(s, link);
  }
};

// Messages

/** Round trip and difference of the clocks, from an answer to a question sent at `at`. */
const measure = (s: State, at: number, timestamp: unknown): void => {
  const server = Date.parse(timestamp as string);
  s.count.roundTripMs = s.t - at;
  if (server === server) s.count.clockOffsetMs = Math.round(server - s.now + (s.t - at) / 2);
};

/** What the application has asked is answered with what the server has just said. */
const conclude = (s: Draft, { recovered, more, sequence }: Answer): void => {
  const { position } = s;
  answerAsked(s, recovered !== false && !more && position !== null && position >= sequence);
};

const authSuccess = (s: Draft, link: Link, data: AuthSuccess, timestamp: string): void => {
  const { timers } = s;
  const renewal = link.live;
  if (data.ref === link.ref) measure(s, link.sent, timestamp);
  const changed = s.tenant !== '' && (s.tenant !== data.tenantId || s.user !== data.userId);
  if (changed) {
    for (const other of [s.link, s.old]) other && other !== link && drop(s, other);
    forget(s, null);
  }
  const alone = !link.successor && !renewal;
  s.tenant = data.tenantId;
  s.user = data.userId;
  s.conn = data.connectionId;
  s.rejected = link.rejected = false;
  s.retryAfter = link.tries = 0;
  link.live = true;
  link.ref = link.token = '';
  link.again = false;
  delete timers.open;
  delete timers.auth;
  if (link === s.next) {
    if (s.old) drop(s, s.old);
    s.old = s.link;
    timers.old = s.t + 2000;
    s.link = link;
    s.next = undefined;
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
  const { timers, t } = s;
  delete timers.open;
  link.again = true;
  timers.auth = t + Math.max(atLeast, 1000 * 2 ** Math.min(link.tries++, 3)) + s.rnd * 1000;
};

const connectionError = (s: Draft, link: Link, data: Refusal): void => {
  const { timers } = s;
  const { code, reason, ref } = data;
  if (ref !== undefined) {
    if (!link.ping || ref !== link.ping.ref) return;
    link.ping = undefined;
    delete timers.probe;
    answerAsked(s, false);
    refused(s, data);
    if (code === 'UNAUTHORIZED') rejected(s, link);
    else timers.heal = s.t + Math.max(data.retryAfterMs || 0, 1000 * 2 ** Math.min(s.stuck, 3)) + s.rnd * 1000;
    return;
  }
  // That the successor takes this one's place is what it was asked to do.
  if (reason === 'replaced' && s.next && s.next.sent) return fail(s, link);
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
  const awaited = link.ping && link.ping.ref === data.ref;
  if (awaited) {
    measure(s, (link.ping as Ping).at, timestamp);
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

const message = (s: Draft, link: Link, value: unknown): void => {
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

// Time

const fire: { readonly [T in keyof Required<Timers>]: (s: Draft) => void } = {
  token: (s) => {
    const { token } = s;
    if (!token) return;
    abort(s);
    tokenFailed(s, token.link, problem(s, 'TOKEN_UNAVAILABLE', 'getToken has not answered for 30 s'));
  },
  open: (s) => {
    const link = s.next || s.link;
    if (!link || link.live) return;
    report(s, problem(s, 'TIMEOUT', link.open ? 'No answer to auth' : 'No end of the handshake'));
    fail(s, link);
  },
  retry: begin,
  auth: (s) => {
    const { next, link } = s;
    const again = next && next.again ? next : link && link.again ? link : undefined;
    if (again) sendAuth(s, again);
    else if (link && link.live && link.ref) {
      renewLater(s, problem(s, 'TIMEOUT', 'No answer to auth'));
      // Or there is nobody any more; what was sent has put off the next ping.
      probe(s);
    }
  },
  ping: probe,
  probe: (s) => {
    const { link, t } = s;
    const ping = link && link.ping;
    if (!ping) return;
    if (link.rx > ping.at) {
      // Alive, and busy or forgetful.
      if (t < ping.at + ANSWER) s.timers.probe = ping.at + ANSWER;
      else {
        link.ping = undefined;
        answerAsked(s, false);
      }
    } else if (ping.tries) {
      report(s, problem(s, 'TIMEOUT', 'No answer to two pings'));
      fail(s, link);
    } else sendPing(s, link, 1);
  },
  heal: (s) => {
    const { link } = s;
    if (link && link.live && !link.ping && heal(s)) sendPing(s, link);
  },
  more: (s) => {
    s.more = undefined;
    probe(s);
  },
  rotate: (s) => {
      if (s.link && s.link.live && s.position !== null && !s.next && !s.token) ask(s, 'connect', 0);
    else rotateLater(s);
  },
  renew: (s) => {
      if (!s.link || !s.link.live) return;
    if (s.token || s.next) s.timers.renew = s.t + 5000;
    else ask(s, 'refresh', s.link.id);
  },
  old: (s) => {
    s.old && drop(s, s.old);
  },
  hold: (s) => {
    s.out = loaded(s).concat(s.out);
  },
  tick: () => {},
};

const find = (s: State, id: number): Link | undefined => [s.link, s.next, s.old].find((link) => link && link.id === id) as Link | undefined;

const handle = (s: Draft, input: Input): void => {
  switch (input.is) {
    case 'connect':
    case 'retry':
      if (input.is === 'retry' && s.off && s.off !== 'replaced') break;
      s.off = s.session === null ? 'signed-out' : null;
      s.fatal = undefined;
      begin(s);
      break;
    case 'disconnect':
      closeAll(s);
      s.lostAt = null;
      s.attempt = 0;
      s.fatal = undefined;
      s.off = s.off === 'not-started' ? s.off : 'closed';
      break;
    case 'session':
      if (input.key === s.session) break;
      closeAll(s);
      forget(s, input.position === undefined ? null : input.position);
      s.session = input.key;
      s.lostAt = null;
      s.attempt = s.unopened = s.retryAfter = s.expiresAt = 0;
      s.rejected = false;
      s.fatal = s.error = undefined;
      if (s.off !== 'not-started' && s.off !== 'closed') s.off = input.key === null ? 'signed-out' : null;
      begin(s);
      break;
    case 'ask':
      s.asked = s.asked.concat(input.id);
      if (s.link && s.link.live) probe(s);
      else answerAsked(s, false);
      break;
    case 'loaded':
      if (input.id === s.hold) s.out = loaded(s);
      break;
    case 'token': {
      const { token } = s;
      if (!token || token.id !== input.id) break;
      s.token = undefined;
      delete s.timers.token;
      const link = find(s, token.link);
      if (input.token === null) {
        closeAll(s);
        s.off = 'signed-out';
      } else if (input.fatal) stop(s, report(s, problem(s, 'TOKEN_UNAVAILABLE', 'getToken has given up', input.cause, true)));
      else if (!input.token) tokenFailed(s, token.link, problem(s, 'TOKEN_UNAVAILABLE', 'getToken gave no token', input.cause));
      else if (link) {
        link.token = input.token;
        sendAuth(s, link);
      } else {
        const id = ++s.ids;
        const made: Link = { id, at: s.t, open: false, live: false, successor: !!s.link, token: input.token, ref: '', sent: 0, again: false, rejected: false, tries: 0, rx: s.t, early: [], top: 0 };
        s[s.link ? 'next' : 'link'] = made;
        s.count.attempts++;
        s.timers.open = s.t + ANSWER;
        s.fx.push({ do: 'open', id });
      }
      break;
    }
    case 'page': {
      const { event } = input;
      if (event === 'visible' || event === 'hidden') s.visible = event === 'visible';
      if (event === 'online' || event === 'offline') s.offline = event === 'offline';
      if (event === 'hide') {
        closeAll(s);
        s.paused = true;
        if (!s.off && !s.fatal) s.lostAt = s.now;
      }
      if (event === 'visible' || event === 'show') {
        s.paused = false;
        if (s.off === 'replaced') s.off = null;
      }
      if (event === 'interaction') {
        if (s.link && s.t - Math.max(s.link.rx, s.probed) > 60_000) probe(s);
      } else if (event === 'offline') probe(s);
      else if (event === 'visible' || event === 'online' || event === 'resume' || event === 'show') wake(s);
      break;
    }
    case 'timer': {
      let late = false;
      for (const name of Object.keys(s.timers) as (keyof Timers)[]) {
        const due = s.timers[name];
        if (due === undefined || due > s.t) continue;
        delete s.timers[name];
        if (s.t - due > 15_000) late = true;
        fire[name](s);
      }
      if (late) wake(s);
      break;
    }
    default: {
      const link = find(s, input.id);
      if (!link) break;
      if (input.is === 'message') message(s, link, input.message);
      else if (input.is === 'open') {
        link.open = true;
        s.unopened = 0;
        sendAuth(s, link);
      } else if (input.cause) stop(s, report(s, problem(s, 'NEVER_OPENED', 'The browser refuses this URL', input.cause, true)));
      else fail(s, link);
    }
  }
};

/**
 * The next state, and what is to be done in this order. `state` stays as it is.
 */
export const step = (state: State, input: Input, moment: Moment): [State, readonly Effect[]] => {
  const { link, next, old } = state;
  const s: Draft = {
    ...state,
    fx: [],
    out: [],
    rnd: moment.random,
    now: moment.now,
    mono: moment.mono,
    skew: moment.now - moment.mono,
    timers: { ...state.timers },
    count: { ...state.count },
    link: link && { ...link },
    next: next && { ...next },
    old: old && { ...old },
  };
  s.t += Math.max(0, s.mono - state.mono);
  // Between the two clocks a few milliseconds come and go; more is sleep, or a clock that was set.
  const jump = s.skew - state.skew;
  if (Math.abs(jump) < 5000) s.skew = state.skew;
  else if (jump > 0) {
    s.t += jump;
    // What the application loads slept, too.
    if (s.timers.hold) s.timers.hold += jump;
  }
  handle(s, input);
  if (settle(s) && s.link && !s.link.ping) sendPing(s, s.link);
  if (!s.link || !s.link.live || !s.visible) delete s.timers.tick;
  else if (s.timers.tick === undefined) s.timers.tick = s.t + 30_000;
  return [s, s.fx];
};

/** When the machine wants to be woken, in its own time; undefined = not by the clock. */
export const dueOf = (s: State): number | undefined => {
  let due: number | undefined;
  for (const name in s.timers) {
    const at = s.timers[name as keyof Timers];
    if (at !== undefined && (due === undefined || at < due)) due = at;
  }
  return due;
};


