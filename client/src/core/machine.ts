/**
 * The client as a pure state machine: `step(state, input, moment)` gives the next state and what is to be done. It reads no clock, draws no random number and touches no socket.
 *
 * Its time is the monotonic clock's and what the other one jumps ahead of it: sleep counts, and a clock that is set back does no harm.
 */
import { abort, ANSWER, answerAsked, ask, begin, closeAll, drop, fail, find, probe, problem, report, ROLES, rotateLater, sendAuth, sendPing, stop, wake } from './connection.js';
import { message } from './messages.js';
import { forget, heal, loaded, settle } from './recovery.js';
import type { Draft } from './recovery.js';
import { renewLater, tokenFailed } from './renewal.js';
import type { Effect, Input, Link, State, Timers } from './state.js';

/** When an input came, and one random number for whatever it makes the machine draw. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly now: number;
  readonly mono: number;
  /** From 0 to below 1. */
  readonly random: number;
}

/** What falls due, by the name of its timer. */
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
    if (link.again) return sendAuth(s, link);
    report(s, problem(s, 'TIMEOUT', link.open ? 'No answer to auth' : 'No end of the handshake'));
    fail(s, link);
  },
  retry: begin,
  auth: (s) => {
    const { link } = s;
    if (!link?.live) return;
    if (link.again) sendAuth(s, link);
    else if (link.ref) {
      renewLater(s, problem(s, 'TIMEOUT', 'No answer to auth'));
      // Or there is nobody any more; what was sent has put off the next ping.
      probe(s);
    }
  },
  ping: probe,
  probe: (s) => {
    const { link, t } = s;
    const ping = link?.ping;
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
    if (link?.live && !link.ping && heal(s)) sendPing(s, link);
  },
  more: (s) => {
    s.more = undefined;
    probe(s);
  },
  rotate: (s) => {
    if (s.link?.live && s.position !== undefined && !s.next && !s.token) ask(s, 'connect', 0);
    else rotateLater(s);
  },
  renew: (s) => {
    if (!s.link?.live) return;
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
      if (s.off !== 'not-started') s.off = 'closed';
      break;
    case 'session':
      if (input.key === s.session) break;
      closeAll(s);
      forget(s, input.position);
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
      if (s.link?.live) probe(s);
      else answerAsked(s, false);
      break;
    case 'loaded':
      if (input.id === s.hold) s.out = loaded(s);
      break;
    case 'token': {
      const { token } = s;
      if (token?.id !== input.id) break;
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
      const shown = event === 'visible';
      const online = event === 'online';
      const offline = event === 'offline';
      if (shown || event === 'hidden') s.visible = shown;
      if (online || offline) s.offline = offline;
      if (event === 'hide') {
        closeAll(s);
        s.paused = true;
        if (!s.off && !s.fatal) s.lostAt = s.now;
      }
      if (shown || event === 'show') {
        s.paused = false;
        if (s.off === 'replaced') s.off = null;
      }
      if (shown || online || event === 'resume' || event === 'show') wake(s);
      else if (offline || (event === 'interaction' && s.link && s.t - Math.max(s.link.rx, s.probed) > 60_000)) probe(s);
      break;
    }
    case 'timer': {
      for (const name of Object.keys(s.timers) as (keyof Timers)[]) {
        // Gone, where one that came before has cleared it.
        if ((s.timers[name] as number) <= s.t) {
          delete s.timers[name];
          fire[name](s);
        }
      }
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
  };
  for (const role of ROLES) {
    const link = s[role];
    if (link) s[role] = { ...link };
  }
  s.t += Math.max(0, s.mono - state.mono);
  // Between the two clocks a few milliseconds come and go; more is sleep, or a clock that was set.
  const jump = s.skew - state.skew;
  if (Math.abs(jump) < 5000) s.skew = state.skew;
  else if (jump > 0) {
    s.t += jump;
    // What the application loads slept, too.
    if (s.timers.hold) s.timers.hold += jump;
  }
  const due = dueOf(s);
  handle(s, input);
  // A timer this late has slept. Not with each message until it fires: a background page's may come first, and many.
  if (s.t - due > 15_000 && input.is !== 'message') wake(s);
  if (settle(s) && s.link && !s.link.ping) sendPing(s, s.link);
  if (!s.link?.live || !s.visible) delete s.timers.tick;
  else if (s.timers.tick === undefined) s.timers.tick = s.t + 30_000;
  return [s, s.fx];
};

/** When the machine wants to be woken, in its own time; Infinity = not by the clock. */
export const dueOf = (s: State): number => Math.min(...Object.values(s.timers as Record<string, number>));
