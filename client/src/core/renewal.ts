/** Tokens: what becomes of one that does not come, is refused, or renews nothing. */
import { ask, authTimer, fail, find, lost, report, rotateLater } from './connection.js';
import type { RealtimeError } from './error.js';
import type { Draft } from './recovery.js';
import type { Link } from './state.js';

export const renewLater = (s: Draft, error: RealtimeError): void => {
  if (!s.renewals++) report(s, error);
  if (s.renewals <= 5) s.timers.renew = s.t + Math.max(30_000, (s.expires - s.t) / 2);
  delete s.timers.auth;
};
export const tokenFailed = (s: Draft, link: number, error: RealtimeError): void => {
  const target = find(s, link);
  if (target && target.live) return renewLater(s, error);
  report(s, error);
  if (target) fail(s, target);
  else if (s.link) rotateLater(s);
  else lost(s);
};
export const rejected = (s: Draft, link: Link, error?: RealtimeError): void => {
  if (!link.rejected && !s.token) {
    link.rejected = true;
    delete s.timers[authTimer(link)];
    ask(s, 'rejected', link.id);
  } else if (link.live && error) renewLater(s, error);
  else {
    s.rejected = true;
    fail(s, link);
  }
};
