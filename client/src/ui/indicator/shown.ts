import { useMemo, useSyncExternalStore } from 'react';
import type { RealtimeClient, Unsubscribe } from '../../core/options.js';
import type { ConnectionStatus } from '../../core/status.js';
import type { IndicatorWords } from './words.js';
import { NOT_STARTED, OFF, useClient } from '../../react/useRealtime.js';

/**
 * What an indicator shows.
 *
 * - `live`: connected.
 * - `connecting`: for the first time, or again after a stop.
 * - `reconnecting`: lost, and being made anew.
 * - `offline`: no network; or closed by the application, by signing out or by another window.
 * - `stopped`: by an error that needs the user.
 * - `off`: the flag is off, and there is nothing to show.
 */
export type IndicatorState = 'live' | 'connecting' | 'reconnecting' | 'offline' | 'stopped' | 'off';

/** What a status is to the reader. */
export const stateOf = (status: ConnectionStatus): IndicatorState => {
  if (status.state === 'connected') return 'live';
  if (status.state === 'error') return 'stopped';
  if (status.state === 'disconnected') return status.reason === 'off' ? 'off' : status.reason === 'not-started' ? 'connecting' : 'offline';
  return status.state === 'reconnecting' && status.phase === 'offline' ? 'offline' : status.state;
};

/** A status in one or two words. */
export const labelOf = (status: ConnectionStatus, labels: IndicatorWords): string => {
  const state = stateOf(status);
  if (status.state === 'disconnected' && status.reason === 'signed-out') return labels.signedOut;
  if (status.state === 'error') return labels.stopped(status.error.code);
  if (status.state === 'connected') return status.stale ? labels.updating : labels.live;
  return state === 'offline' || state === 'reconnecting' ? labels[state] : labels.connecting;
};

/** The time in milliseconds that a lost connection has to come back before anybody is told. */
export const GRACE = 2000;

/** The status as it is shown. */
export interface Shown {
  get(): ConnectionStatus;
  subscribe(listener: () => void): Unsubscribe;
}

const isWell = (status: ConnectionStatus): boolean => status.state === 'connected' && !status.stale;
const isOffline = (status: ConnectionStatus): boolean => status.state === 'reconnecting' && status.phase === 'offline';
const mayPass = (status: ConnectionStatus): boolean => status.state === 'reconnecting' || status.state === 'connected';

/** The client's status, but what passes within `graceMs` is not shown: a connection that is lost and back, or slow for a moment. What needs the reader is shown at once. */
export const shownOf = (client: RealtimeClient, graceMs: number): Shown => {
  let shown = client.getStatus();
  return {
    get: () => shown,
    subscribe(listener) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const show = (): void => {
        clearTimeout(timer);
        timer = undefined;
        shown = client.getStatus();
        listener();
      };
      const look = (): void => {
        const next = client.getStatus();
        // A try that is under way does not say that there is a network again.
        if (isOffline(shown) && next.state === 'reconnecting' && next.phase !== 'waiting' && next.phase !== 'offline') return;
        if (isWell(shown) && !isWell(next) && mayPass(next)) timer ??= setTimeout(show, graceMs);
        else show();
      };
      look();
      const stop = client.onStatus(look);
      return () => {
        stop();
        clearTimeout(timer);
      };
    },
  };
};

const off: Shown = { get: () => OFF, subscribe: () => () => {} };

/** {@link shownOf} the provider's client. */
export const useShownStatus = (graceMs: number): ConnectionStatus => {
  const client = useClient();
  const shown = useMemo(() => (client ? shownOf(client, graceMs) : off), [client, graceMs]);
  return useSyncExternalStore(shown.subscribe, shown.get, () => (client ? NOT_STARTED : OFF));
};
