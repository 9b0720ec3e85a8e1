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

const report = (d: Draft, error: RealtimeError): RealtimeError => {
  d.fx.push({ do: 'error', error });
  return (d.s.error = error);
};
const refused = (d: Draft, { code, error, reason, retryAfterMs }: Refusal): RealtimeError => {
  d.s.retryAfter = retryAfterMs || 0;
  return report(d, realtimeError(code, error, d.s.now, code !== 'FORBIDDEN' && code !== 'VALIDATION_ERROR' && code !== 'NOT_FOUND', { reason }));
};
const timeout = (d: Draft, what: string): RealtimeError => report(d, realtimeError('TIMEOUT', what, d.s.now));

// Sending

const sent = (d: Draft, link: Link): void => {
  const { s } = d;
  if (link !== s.link) return;
  const { intervalMs = 480_000, visibleIntervalMs } = s.options.ping || {};
  // Only downwards: a background page's timer may be a minute late, and the wall is at 10 minutes.
  s.timers.ping = s.t + ((s.visible && visibleIntervalMs) || intervalMs) * (1 - d.rnd / 10);
};

const sendPing = (d: Draft, link: Link, tries = 0): void => {
  const { s } = d;
  // Repeated under the same name: one answer answers both.
  const ref = link.ping ? link.ping.ref : 'p' + ++s.ids;
  link.ping = { ref, at: s.t, tries };
  d.fx.push({ do: 'send', id: link.id, message: { action: 'ping', ref, ...(s.position !== null && { lastSequence: s.position }) } });
  s.timers.probe = s.t + (s.options.ping?.timeoutMs ?? 5000);
  delete s.timers.heal;
  sent(d, link);
};
const probe = (d: Draft): void => {
  const { link } = d.s;
  d.s.probed = d.s.t;
  if (link && link.live && !link.ping) sendPing(d, link);
};

const sendAuth = (d: Draft, link: Link): void => {
  const { s } = d;
  link.ref = 'a' + ++s.ids;
  link.sent = s.t;
  link.again = false;
  d.fx.push({
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
  sent(d, link);
};

// Connections, made and lost

const drop = (d: Draft, link: Link): void => {
  const { s } = d;
  d.fx.push({ do: 'close', id: link.id });
  if (link === s.link) s.link = undefined;
  if (link === s.next) s.next = undefined;
  if (link === s.old) s.old = undefined;
};
const abort = (d: Draft): void => {
  if (d.s.token) d.fx.push({ do: 'abort' });
  d.s.token = undefined;
  delete d.s.timers.token;
};
const answerAsked = (d: Draft, upToDate: boolean): void => {
  const { asked } = d.s;
  if (asked.length) d.fx.push({ do: 'answer', ids: asked, upToDate });
  d.s.asked = [];
};
/** No connection, and no attempt at one. The application may go on loading state. */
const closeAll = (d: Draft): void => {
  const { s } = d;
  const { hold } = s.timers;
  for (const link of [s.link, s.next, s.old]) link && drop(d, link);
  abort(d);
  answerAsked(d, false);
  s.timers = hold === undefined ? {} : { hold };
  s.since = null;
  s.more = undefined;
};
const stop = (d: Draft, error: RealtimeError): void => {
  closeAll(d);
  d.s.fatal = error;
};

const ask = (d: Draft, reason: TokenReason, link: number): void => {
  const { s } = d;
  const id = ++s.ids;
  s.token = { id, link };
  s.timers.token = s.t + 30_000;
  d.fx.push({ do: 'token', id, reason });
};
const begin = (d: Draft): void => {
  const { s } = d;
  if (s.off || s.fatal || s.paused || s.link || s.token) return;
  delete s.timers.retry;
  s.attempt++;
  ask(d, s.rejected ? 'rejected' : 'connect', 0);
};
const rotateLater = (d: Draft): void => {
  d.s.timers.rotate = d.s.t + 30_000 * (1 + d.rnd);
};

/** There is no connection any more: the next attempt after a random time. */
const lost = (d: Draft): void => {
  const { s } = d;
  const { capsMs = CAPS, stableAfterMs = 10_000 } = s.options.backoff || {};
  const { hold } = s.timers;
  if (s.old) drop(d, s.old);
  abort(d);
  answerAsked(d, false);
  if (s.since !== null && s.now - s.since >= stableAfterMs) s.attempt = 0;
  if (s.lostAt === null) s.lostAt = s.now;
  s.since = null;
  s.more = undefined;
  const cap = capsMs[Math.min(s.attempt, capsMs.length - 1)] || 0;
  s.timers = { retry: s.t + (s.retryAfter ? s.retryAfter + d.rnd * 1000 : d.rnd * cap) };
  if (hold !== undefined) s.timers.hold = hold;
  s.retryAfter = 0;
};

/** A socket is of no use any more. */
const fail = (d: Draft, link: Link): void => {
  const { s } = d;
  const { timers, next } = s;
  const wasNext = link === next;
  const wasOld = link === s.old;
  drop(d, link);
  if (wasOld) return;
  if (!link.open && !s.offline && ++s.unopened === 5)
    report(
      d,
      realtimeError(
        'NEVER_OPENED',
        'Five handshakes in a row failed, and a browser does not say why. Likely: the URL or its stage is wrong; AllowedOrigins lacks this origin; the Content-Security-Policy lacks connect-src, or an https page uses ws:; a proxy blocks WebSockets, or the server is down.',
        s.now,
      ),
    );
  if (wasNext) {
    delete timers.open;
    delete timers.auth;
    rotateLater(d);
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
  } else lost(d);
};

/** Sleep, or somebody looks: believe nothing. */
const wake = (d: Draft): void => {
  const { link, t } = d.s;
  probe(d);
  // A handshake begun before may never end.
  if (link && !link.live && t - link.rx > 3000) drop(d, link);
  begin(d);
};

// Tokens

const renewLater = (d: Draft, error: RealtimeError): void => {
  const { s } = d;
  if (!s.renewals++) report(d, error);
  if (s.renewals <= 5) s.timers.renew = s.t + Math.max(30_000, (s.expires - s.t) / 2);
  delete s.timers.auth;
};
const tokenFailed = (d: Draft, link: number, error: RealtimeError): void => {
  const { s } = d;
  const target = find(s, link);
  if (target && target.live) return renewLater(d, error);
  report(d, error);
  if (target) fail(d, target);
  else if (s.link) rotateLater(d);
  else lost(d);
};
const rejected = (d: Draft, link: Link, error?: RealtimeError): void => {
  const { s } = d;
  if (!link.rejected && !s.token) {
    link.rejected = true;
    delete s.timers.open;
    ask(d, 'rejected', link.id);
  } else if (link.live && error) renewLater(d, error);
  else {
    s.rejected = true;
    fail(d, link);
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
const conclude = (d: Draft, { recovered, more, sequence }: Answer): void => {
  const { position } = d.s;
  answerAsked(d, recovered !== false && !more && position !== null && position >= sequence);
};

const authSuccess = (d: Draft, link: Link, data: AuthSuccess, timestamp: string): void => {
  const { s } = d;
  const { timers } = s;
  const renewal = link.live;
  if (data.ref === link.ref) measure(s, link.sent, timestamp);
  const changed = s.tenant !== '' && (s.tenant !== data.tenantId || s.user !== data.userId);
  if (changed) {
    for (const other of [s.link, s.old]) other && other !== link && drop(d, other);
    forget(d, null);
  }
  const alone = !link.successor && !renewal;
  s.tenant = data.tenantId;
  s.user = data.userId;
  s.conn = link.conn = data.connectionId;
  s.rejected = link.rejected = false;
  s.retryAfter = link.tries = 0;
  link.live = true;
  link.ref = link.token = '';
  link.again = false;
  delete timers.open;
  delete timers.auth;
  if (link === s.next) {
    if (s.old) drop(d, s.old);
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
    if (rotate) timers.rotate = link.at + rotate[0] + d.rnd * (rotate[1] - rotate[0]);
    sent(d, link);
  }

  const expiresAt = Date.parse(data.expiresAt);
  const life = expiresAt - Date.parse(timestamp);
  if (life === life) {
    const later = expiresAt > s.expiresAt;
    s.expires = s.t + life;
    s.expiresAt = expiresAt;
    if (renewal && !later) renewLater(d, realtimeError('TOKEN_UNAVAILABLE', 'getToken({reason: "refresh"}) returned a token that ends no later than the present one', s.now));
    else {
      s.renewals = 0;
      timers.renew = s.t + Math.max(1000, life * 0.8);
    }
  }

  // To another session the position that was sent means nothing.
  answer(d, changed ? { sequence: data.sequence } : data);
  conclude(d, data);
  if (alone && data.after !== undefined && !changed) s.replayTo = data.sequence;
  const { early, top } = link;
  link.early = [];
  s.head = Math.max(s.head, top);
  for (const event of early) accept(d, link, event);
};

const authError = (d: Draft, link: Link, data: Refusal): void => {
  if (data.ref !== undefined && data.ref !== link.ref) return;
  const error = refused(d, data);
  link.ref = '';
  if (data.code === 'UNAUTHORIZED') rejected(d, link, error);
  else if (data.code === 'RATE_LIMIT_EXCEEDED' || data.code === 'INTERNAL_ERROR') {
    if (link.tries > 3 && !link.live) return fail(d, link);
    authLater(d, link, data.retryAfterMs);
  } else if (data.code === 'FORBIDDEN' && link.live && !data.reason) fail(d, link); // another tenant or user: they need a connection of their own
  else stop(d, error);
};
const authLater = (d: Draft, link: Link, atLeast = 0): void => {
  const { timers, t } = d.s;
  delete timers.open;
  link.again = true;
  timers.auth = t + Math.max(atLeast, 1000 * 2 ** Math.min(link.tries++, 3)) + d.rnd * 1000;
};

const connectionError = (d: Draft, link: Link, data: Refusal): void => {
  const { s } = d;
  const { timers } = s;
  const { code, reason, ref } = data;
  if (ref !== undefined) {
    if (!link.ping || ref !== link.ping.ref) return;
    link.ping = undefined;
    delete timers.probe;
    answerAsked(d, false);
    refused(d, data);
    if (code === 'UNAUTHORIZED') rejected(d, link);
    else timers.heal = s.t + Math.max(data.retryAfterMs || 0, 1000 * 2 ** Math.min(s.stuck, 3)) + d.rnd * 1000;
    return;
  }
  // That the successor takes this one's place is what it was asked to do.
  if (reason === 'replaced' && s.next && s.next.sent) return fail(d, link);
  const error = refused(d, data);
  if (reason === 'draining') timers.rotate = s.t + d.rnd * 5000;
  else if (reason === 'replaced') {
    closeAll(d);
    s.off = 'replaced';
  } else if (code === 'FORBIDDEN') stop(d, error);
  else if (code === 'UNAUTHORIZED') {
    s.rejected = reason === 'token_expired';
    fail(d, link);
  }
};

const pong = (d: Draft, link: Link, data: Answer, timestamp: string): void => {
  const { s } = d;
  s.count.lastPongAt = s.now;
  const awaited = link.ping && link.ping.ref === data.ref;
  if (awaited) {
    measure(s, (link.ping as Ping).at, timestamp);
    link.ping = undefined;
    delete s.timers.probe;
  }
  // A double must not ask for the next page once more: two chains of questions would never become one again.
  answer(d, awaited ? data : { ...data, more: false });
  if (awaited) conclude(d, data);
};

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);
const isNumber = (value: unknown): value is number => Number.isSafeInteger(value);
const isEnvelope = (value: unknown): value is Envelope =>
  isObject(value) && typeof value.type === 'string' && isObject(value.data) && (value.sequence === undefined || isNumber(value.sequence));

const message = (d: Draft, link: Link, value: unknown): void => {
  const { s } = d;
  const protocol = (): void => void report(d, realtimeError('PROTOCOL', 'The server sent what is no message of the protocol', s.now));
  link.rx = s.t;
  if (isObject(value) && value.type === undefined && value.connectionId && value.requestId) {
    s.count.gatewayErrors++;
    d.fx.push({ do: 'log', what: 'gateway', code: String(value.message) });
    // It does not say which message was lost. A ping is repeated anyway.
    if (link.ref) {
      link.ref = '';
      authLater(d, link);
    }
    return;
  }
  if (!isEnvelope(value)) return protocol();
  const { type, data, timestamp } = value;
  const answers = (data as Partial<Answer>).sequence;
  if (type === 'batch') {
    const { events } = data as { events?: unknown };
    if (!Array.isArray(events)) return protocol();
    for (const event of events) isEnvelope(event) ? accept(d, link, event) : protocol();
  } else if (!/^(auth\.(success|error)|connection_error|pong|rotate)$/.test(type)) accept(d, link, value);
  else if (link === s.old) return;
  else if (type === 'auth.error') authError(d, link, data as Refusal);
  else if (type === 'connection_error') connectionError(d, link, data as Refusal);
  else if (type === 'rotate') s.timers.rotate = s.t + d.rnd * (Number((data as { withinMs?: unknown }).withinMs) || 0);
  else if (!isNumber(answers)) protocol();
  else if (type === 'pong') link.live && pong(d, link, data as Answer, timestamp);
  else if (typeof (data as AuthSuccess).tenantId === 'string') authSuccess(d, link, data as AuthSuccess, timestamp);
  else protocol();
};

// Time

const fire: { readonly [T in keyof Required<Timers>]: (d: Draft) => void } = {
  token: (d) => {
    const { token } = d.s;
    if (!token) return;
    abort(d);
    tokenFailed(d, token.link, realtimeError('TOKEN_UNAVAILABLE', 'getToken has not answered for 30 s', d.s.now));
  },
  open: (d) => {
    const link = d.s.next || d.s.link;
    if (!link || link.live) return;
    timeout(d, link.open ? 'The server did not answer auth' : 'The handshake did not end');
    fail(d, link);
  },
  retry: begin,
  auth: (d) => {
    const { next, link } = d.s;
    const again = next && next.again ? next : link && link.again ? link : undefined;
    if (again) sendAuth(d, again);
    else if (link && link.live && link.ref) renewLater(d, realtimeError('TIMEOUT', 'The server did not answer auth', d.s.now));
  },
  ping: probe,
  probe: (d) => {
    const { link, t } = d.s;
    const ping = link && link.ping;
    if (!ping) return;
    if (link.rx > ping.at) {
      // Alive, and busy or forgetful.
      if (t < ping.at + ANSWER) d.s.timers.probe = ping.at + ANSWER;
      else {
        link.ping = undefined;
        answerAsked(d, false);
      }
    } else if (ping.tries) {
      timeout(d, 'The connection is dead');
      fail(d, link);
    } else sendPing(d, link, 1);
  },
  heal: (d) => {
    const { link } = d.s;
    if (link && link.live && !link.ping && heal(d)) sendPing(d, link);
  },
  more: (d) => {
    d.s.more = undefined;
    probe(d);
  },
  rotate: (d) => {
    const { s } = d;
    if (s.link && s.link.live && s.position !== null && !s.next && !s.token) ask(d, 'connect', 0);
    else rotateLater(d);
  },
  renew: (d) => {
    const { s } = d;
    if (!s.link || !s.link.live) return;
    if (s.token || s.next) s.timers.renew = s.t + 5000;
    else ask(d, 'refresh', s.link.id);
  },
  old: (d) => {
    d.s.old && drop(d, d.s.old);
  },
  hold: (d) => {
    d.out = loaded(d.s).concat(d.out);
  },
  tick: () => {},
};

const find = (s: State, id: number): Link | undefined => [s.link, s.next, s.old].find((link) => link && link.id === id) as Link | undefined;

const handle = (d: Draft, input: Input): void => {
  const { s } = d;
  switch (input.is) {
    case 'connect':
    case 'retry':
      if (input.is === 'retry' && s.off && s.off !== 'replaced') break;
      s.off = s.session === null ? 'signed-out' : null;
      s.fatal = undefined;
      begin(d);
      break;
    case 'disconnect':
      closeAll(d);
      s.lostAt = null;
      s.attempt = 0;
      s.fatal = undefined;
      s.off = s.off === 'not-started' ? s.off : 'closed';
      break;
    case 'session':
      if (input.key === s.session) break;
      closeAll(d);
      forget(d, input.position === undefined ? null : input.position);
      s.session = input.key;
      s.lostAt = null;
      s.attempt = s.unopened = s.retryAfter = s.expiresAt = 0;
      s.rejected = false;
      s.fatal = s.error = undefined;
      if (s.off !== 'not-started' && s.off !== 'closed') s.off = input.key === null ? 'signed-out' : null;
      begin(d);
      break;
    case 'ask':
      s.asked = s.asked.concat(input.id);
      if (s.link && s.link.live) probe(d);
      else answerAsked(d, false);
      break;
    case 'loaded':
      if (input.id === s.hold) d.out = loaded(s);
      break;
    case 'token': {
      const { token } = s;
      if (!token || token.id !== input.id) break;
      s.token = undefined;
      delete s.timers.token;
      const link = find(s, token.link);
      if (input.token === null) {
        closeAll(d);
        s.off = 'signed-out';
      } else if (input.fatal) stop(d, report(d, realtimeError('TOKEN_UNAVAILABLE', 'getToken has given up', s.now, false, { cause: input.cause })));
      else if (!input.token) tokenFailed(d, token.link, realtimeError('TOKEN_UNAVAILABLE', 'getToken gave no token', s.now, true, { cause: input.cause }));
      else if (link) {
        link.token = input.token;
        sendAuth(d, link);
      } else {
        const id = ++s.ids;
        const made: Link = { id, at: s.t, open: false, live: false, successor: !!s.link, token: input.token, ref: '', sent: 0, again: false, rejected: false, tries: 0, conn: '', rx: s.t, early: [], top: 0 };
        s[s.link ? 'next' : 'link'] = made;
        s.count.attempts++;
        s.timers.open = s.t + ANSWER;
        d.fx.push({ do: 'open', id });
      }
      break;
    }
    case 'page': {
      const { event } = input;
      if (event === 'visible' || event === 'hidden') s.visible = event === 'visible';
      if (event === 'online' || event === 'offline') s.offline = event === 'offline';
      if (event === 'hide') {
        closeAll(d);
        s.paused = true;
        if (!s.off && !s.fatal) s.lostAt = s.now;
      }
      if (event === 'visible' || event === 'show') {
        s.paused = false;
        if (s.off === 'replaced') s.off = null;
      }
      if (event === 'interaction') {
        if (s.link && s.t - Math.max(s.link.rx, s.probed) > 60_000) probe(d);
      } else if (event === 'offline') probe(d);
      else if (event === 'visible' || event === 'online' || event === 'resume' || event === 'show') wake(d);
      break;
    }
    case 'timer': {
      let late = false;
      for (const name of Object.keys(s.timers) as (keyof Timers)[]) {
        const due = s.timers[name];
        if (due === undefined || due > s.t) continue;
        delete s.timers[name];
        if (s.t - due > 15_000) late = true;
        fire[name](d);
      }
      if (late) wake(d);
      break;
    }
    default: {
      const link = find(s, input.id);
      if (!link) break;
      if (input.is === 'message') message(d, link, input.message);
      else if (input.is === 'open') {
        link.open = true;
        s.unopened = 0;
        sendAuth(d, link);
      } else if (input.cause) stop(d, report(d, realtimeError('NEVER_OPENED', 'The browser refuses this URL', s.now, false, { cause: input.cause })));
      else fail(d, link);
    }
  }
};

/**
 * The next state, and what is to be done in this order. `state` stays as it is.
 */
export const step = (state: State, input: Input, moment: Moment): [State, readonly Effect[]] => {
  const { link, next, old } = state;
  const s: State = {
    ...state,
    now: moment.now,
    mono: moment.mono,
    skew: moment.now - moment.mono,
    timers: { ...state.timers },
    count: { ...state.count },
    link: link && { ...link },
    next: next && { ...next },
    old: old && { ...old },
  };
  const d: Draft = { s, fx: [], out: [], rnd: moment.random };
  s.t += Math.max(0, s.mono - state.mono);
  // Between the two clocks a few milliseconds come and go; more is sleep, or a clock that was set.
  const jump = s.skew - state.skew;
  if (Math.abs(jump) < 5000) s.skew = state.skew;
  else if (jump > 0) {
    s.t += jump;
    // What the application loads slept, too.
    if (s.timers.hold) s.timers.hold += jump;
  }
  handle(d, input);
  if (settle(d) && s.link && !s.link.ping) sendPing(d, s.link);
  if (!s.link || !s.link.live || !s.visible) delete s.timers.tick;
  else if (s.timers.tick === undefined) s.timers.tick = s.t + 30_000;
  return [s, d.fx];
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


