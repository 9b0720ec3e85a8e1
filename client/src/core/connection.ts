/**
 * Connections: how they are made, kept, and lost.
 *
 * - At most one is used, one is its successor in the making, one its predecessor.
 * - Whatever is sent puts off the next ping.
 * - One question is out on a connection at a time.
 */
import { realtimeError } from './error.js';
import type { ErrorCode, RealtimeError } from './error.js';
import type { TokenReason } from './options.js';
import type { Draft } from './recovery.js';
import type { Link, State } from './state.js';
import { VERSION } from './version.js';

/** What a connection is to the client. */
export const ROLES = ['link', 'next', 'old'] as const;
const CAPS = [1000, 2000, 4000, 8000, 16_000, 30_000];
/** Milliseconds for a handshake, for an answer: what the server does not answer in 10 s it does not answer at all. */
export const ANSWER = 10_000;

export const problem = (s: Draft, code: ErrorCode, text: string, cause?: unknown, fatal?: boolean): RealtimeError => realtimeError(code, text, s.now, !fatal, { cause });
export const report = (s: Draft, error: RealtimeError): RealtimeError => {
  s.fx.push({ do: 'error', error });
  return (s.error = error);
};

// Sending

export const sent = (s: Draft, link: Link): void => {
  if (link !== s.link) return;
  const { intervalMs = 480_000, visibleIntervalMs } = s.options.ping || {};
  // Only downwards: a background page's timer may be a minute late, and the wall is at 10 minutes.
  s.timers.ping = s.t + ((s.visible && visibleIntervalMs) || intervalMs) * (1 - s.rnd / 10);
};

export const sendPing = (s: Draft, link: Link, tries = 0): void => {
  // Repeated under the same name: one answer answers both.
  const { ref, woken } = link.ping || { ref: 'p' + ++s.ids, woken: false };
  link.ping = { ref, at: s.t, tries, woken };
  s.fx.push({ do: 'send', id: link.id, message: { action: 'ping', ref, lastSequence: s.position } });
  s.timers.probe = s.t + (s.options.ping?.timeoutMs ?? 5000);
  delete s.timers.heal;
  sent(s, link);
};
export const probe = (s: Draft): void => {
  const { link } = s;
  s.probed = s.t;
  if (link?.live && !link.ping) sendPing(s, link);
};

/** The timer of a link's auth: of the one that is being made, or of the renewal on the one that is used. Both may be under way. */
export const authTimer = (link: Link): 'auth' | 'open' => (link.live ? 'auth' : 'open');
export const sendAuth = (s: Draft, link: Link): void => {
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
      lastSequence: s.position,
      replaces: link.successor && !link.live ? s.conn : undefined,
    },
  });
  s.timers[authTimer(link)] = s.t + ANSWER;
  sent(s, link);
};

// Connections, made and lost

/** What is used, its successor, its predecessor, as far as there are any. */
export const linksOf = (s: State): Link[] => ROLES.map((role) => s[role]).filter((link): link is Link => !!link);
export const find = (s: State, id: number): Link | undefined => linksOf(s).find((link) => link.id === id);

export const drop = (s: Draft, link: Link): void => {
  s.fx.push({ do: 'close', id: link.id });
  for (const role of ROLES) if (link === s[role]) s[role] = undefined;
};
export const abort = (s: Draft): void => {
  if (s.token) s.fx.push({ do: 'abort' });
  s.token = undefined;
  delete s.timers.token;
};
export const answerAsked = (s: Draft, upToDate: boolean): void => {
  const { asked } = s;
  if (asked.length) s.fx.push({ do: 'answer', ids: asked, upToDate });
  s.asked = [];
};
/** No connection, and no attempt at one. The application may go on loading state. */
export const closeAll = (s: Draft): void => {
  const { hold } = s.timers;
  for (const link of linksOf(s)) drop(s, link);
  abort(s);
  answerAsked(s, false);
  s.timers = hold === undefined ? {} : { hold };
  s.since = null;
  s.more = undefined;
};
export const stop = (s: Draft, error: RealtimeError): void => {
  closeAll(s);
  s.fatal = error;
};

export const ask = (s: Draft, reason: TokenReason, link: number): void => {
  const id = ++s.ids;
  s.token = { id, link };
  s.timers.token = s.t + 30_000;
  s.fx.push({ do: 'token', id, reason });
};
export const begin = (s: Draft): void => {
  if (s.off || s.fatal || s.paused || s.link || s.token) return;
  delete s.timers.retry;
  ask(s, s.rejected ? 'rejected' : 'connect', 0);
};
export const rotateLater = (s: Draft): void => {
  s.timers.rotate = s.t + 30_000 * (1 + s.rnd);
};

/** There is no connection any more: the next attempt after a random time, or at once. */
export const lost = (s: Draft, atOnce?: boolean): void => {
  const { capsMs = CAPS, stableAfterMs = 10_000 } = s.options.backoff || {};
  if (s.since !== null && s.now - s.since >= stableAfterMs) s.attempt = 0;
  if (s.lostAt === null) s.lostAt = s.now;
  closeAll(s);
  const cap = capsMs[Math.min(s.attempt++, capsMs.length - 1)] || 0;
  s.timers.retry = s.t + (s.retryAfter ? s.retryAfter + s.rnd * 1000 : atOnce ? 0 : s.rnd * cap);
  s.retryAfter = 0;
};

/** A socket is of no use any more. */
export const fail = (s: Draft, link: Link): void => {
  const { timers, next } = s;
  const wasNext = link === next;
  const wasOld = link === s.old;
  drop(s, link);
  if (wasOld) return;
  if (!link.open && !s.offline && ++s.unopened === 5)
    report(
      s,
      problem(s, 'NEVER_OPENED', 'Five handshakes in a row failed; browsers do not say why. Likely: wrong URL or stage; origin not in AllowedOrigins; Content-Security-Policy without connect-src, or ws: from https; a proxy, or the server is down'),
    );
  if (wasNext) {
    delete timers.open;
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
    for (const name of ['auth', 'ping', 'probe', 'heal', 'more', 'renew', 'rotate'] as const) delete timers[name];
  } else {
    // What a wake finds dead is one machine's, or one network's: no crowd to spread.
    lost(s, link.ping?.woken);
  }
};

/** Sleep, or somebody looks: believe nothing. */
export const wake = (s: Draft): void => {
  const { link, t } = s;
  probe(s);
  // A question may be out, and look answered by what came before this wake.
  if (link?.ping && link.rx > link.ping.at) sendPing(s, link);
  if (link?.ping) link.ping = { ...link.ping, woken: true };
  // A handshake begun before may never end.
  if (link && !link.live && t - link.rx > 3000) drop(s, link);
  begin(s);
};
