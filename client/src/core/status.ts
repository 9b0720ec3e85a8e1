import type { RealtimeError } from './error.js';
import type { State } from './state.js';

/** The five states of a connection. */
export type ConnectionState = 'disconnected' | 'connecting' | 'connected' | 'reconnecting' | 'error';

/** What a connection that is being made waits for: a token, the handshake, the server's answer, what was missed. */
export type Phase = 'token' | 'opening' | 'authenticating' | 'recovering';

/**
 * The state with what is needed to show it. Immutable: the same object until something changes. Times are milliseconds since 1970 by this machine's clock.
 *
 * @example
 * ```ts
 * if (status.state === 'reconnecting' && status.retryAt) countDownTo(status.retryAt);
 * ```
 */
export type ConnectionStatus =
  | { readonly state: 'disconnected'; readonly reason: 'off' | 'signed-out' | 'not-started' | 'closed' | 'replaced' }
  | {
      readonly state: 'connecting';
      readonly phase: Phase;
      readonly attempt: number;
    }
  | {
      readonly state: 'connected';
      readonly since: number;
      readonly userId: string;
      readonly tenantId: string;
      readonly connectionId: string;
      /** Something was missed and is being fetched, or the server is slow to answer. */
      readonly stale: boolean;
    }
  | {
      readonly state: 'reconnecting';
      readonly phase: Phase | 'waiting' | 'offline';
      /** Which try since then: 1 for the first. */
      readonly attempt: number;
      /** When the connection was lost, or first could not be made. */
      readonly since: number;
      readonly retryAt?: number | undefined;
      readonly error?: RealtimeError | undefined;
    }
  | { readonly state: 'error'; readonly error: RealtimeError };

const derive = (s: State): ConnectionStatus => {
  if (s.fatal) return { state: 'error', error: s.fatal };
  if (s.off) return { state: 'disconnected', reason: s.off };
  if (s.since !== null)
    return {
      state: 'connected',
      since: s.since,
      userId: s.user,
      tenantId: s.tenant,
      connectionId: s.conn,
      stale: s.stuck > 0 || !s.link || (!!s.link.ping && s.link.ping.tries > 0),
    };
  const { link, attempt } = s;
  const phase: Phase = link ? (link.live ? 'recovering' : link.open ? 'authenticating' : 'opening') : 'token';
  if (s.lostAt === null) return { state: 'connecting', phase, attempt: attempt + 1 };
  const waiting = !link && !s.token;
  return {
    state: 'reconnecting',
    phase: waiting ? (s.offline ? 'offline' : 'waiting') : phase,
    attempt,
    since: s.lostAt,
    retryAt: waiting && s.timers.retry !== undefined ? s.timers.retry - s.t + s.now : undefined,
    error: s.error,
  };
};

/** The status of a state: `last` itself as long as nothing has changed. */
export const statusOf = (s: State, last?: ConnectionStatus): ConnectionStatus => {
  const next = derive(s) as Readonly<Record<string, unknown>>;
  const before = last as Readonly<Record<string, unknown>> | undefined;
  for (const key in next) {
    // retryAt is computed anew from two clocks: a few milliseconds are no change.
    if (!before || (key === 'retryAt' && before[key] ? Math.abs((next[key] as number) - (before[key] as number)) > 1000 : next[key] !== before[key]))
      return next as unknown as ConnectionStatus;
  }
  return last as ConnectionStatus;
};
