import { useMemo } from 'react';
import type { RealtimeError } from '../../core/error.js';
import { useClient } from '../../react/useRealtime.js';
import { useAnnouncer } from '../announcer/announcer.js';
import { GRACE, labelOf, stateOf, useShownStatus } from './shown.js';
import type { IndicatorState } from './shown.js';
import { useIndicatorWords } from './words.js';

/** What {@link useRealtimeIndicator} returns. */
export interface RealtimeIndicatorView {
  readonly state: IndicatorState;
  /** Connected, but what is on the page may be old: something missed is being fetched, or the server is slow to answer. */
  readonly stale: boolean;
  /** An attempt is under way, as opposed to waiting for the next. */
  readonly trying: boolean;
  /** One or two words. */
  readonly label: string;
  /** The same as a sentence. */
  readonly sentence: string;
  /** Why it is reconnecting or has stopped. */
  readonly error: RealtimeError | null;
  /** Since when it is connected, lost or stopped, in milliseconds since 1970. */
  readonly since: number | null;
  /** Which try since the connection was lost; 0 while there is none. */
  readonly attempt: number;
  /** When the next try begins, in milliseconds since 1970. */
  readonly retryAt: number | null;
  /** Tries at once; undefined where trying is not up to the user. */
  readonly retryNow: (() => void) | undefined;
}

/** Options of {@link useRealtimeIndicator}. */
export interface UseRealtimeIndicatorOptions {
  /**
   * Milliseconds before a lost connection shows. One that is back by then was never gone.
   *
   * @defaultValue 2000
   */
  graceMs?: number | undefined;
}

/**
 * State of the connection as a reader should see it, for an indicator of one's own: short losses don't show, and changes are announced to screen readers, once for all indicators of a client.
 *
 * @example
 * ```tsx
 * const { state, label, retryNow } = useRealtimeIndicator();
 * if (state === 'off') return null;
 * return <p data-state={state}>{label} {retryNow && <button onClick={retryNow}>Retry</button>}</p>;
 * ```
 */
export function useRealtimeIndicator({ graceMs = GRACE }: UseRealtimeIndicatorOptions = {}): RealtimeIndicatorView {
  const client = useClient();
  const labels = useIndicatorWords();
  const status = useShownStatus(graceMs);
  useAnnouncer();
  return useMemo(() => {
    const reconnecting = status.state === 'reconnecting' ? status : undefined;
    const error = ('error' in status && status.error) || null;
    const canRetry = reconnecting || status.state === 'error' || (status.state === 'disconnected' && status.reason === 'replaced');
    return {
      state: stateOf(status),
      stale: status.state === 'connected' && status.stale,
      trying: reconnecting ? reconnecting.phase !== 'waiting' && reconnecting.phase !== 'offline' : stateOf(status) === 'connecting',
      label: labelOf(status, labels),
      sentence: labels.sentence(status),
      error,
      since: 'since' in status ? status.since : status.state === 'error' ? status.error.at : null,
      attempt: reconnecting ? reconnecting.attempt : 0,
      retryAt: (reconnecting && reconnecting.retryAt) || null,
      retryNow: client && canRetry ? client.retryNow : undefined,
    };
  }, [client, labels, status]);
}
