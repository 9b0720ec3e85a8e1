import { useCallback, useContext, useMemo, useSyncExternalStore } from 'react';
import type { RealtimeError } from '../core/error.js';
import type { RealtimeClient, RealtimeStats, Unsubscribe } from '../core/options.js';
import type { ConnectionState, ConnectionStatus } from '../core/status.js';
import { shared } from './context.js';
import type { Provided } from './context.js';

/** State of the connection, for a component that shows it. */
export interface RealtimeConnection {
  readonly isConnected: boolean;
  readonly connectionState: ConnectionState;
  readonly status: ConnectionStatus;
  /** Why it is reconnecting or has stopped. */
  readonly error: RealtimeError | null;
  /** As of now, each time it is read. */
  readonly stats: RealtimeStats;
}

/** What {@link useRealtime} returns. */
export interface RealtimeContextValue extends RealtimeConnection {
  /** false while the provider's flag is off. */
  readonly enabled: boolean;
  readonly client: RealtimeClient | null;
  subscribe: RealtimeClient['subscribe'];
  connect(): Promise<void>;
  disconnect(): void;
  retryNow(): void;
}

export const OFF: ConnectionStatus = { state: 'disconnected', reason: 'off' };
/** What a server renders, which has no connection, and so the first render in the browser. */
export const NOT_STARTED: ConnectionStatus = { state: 'disconnected', reason: 'not-started' };
const NO_STATS: RealtimeStats = {
  connectedSince: null,
  attempts: 0,
  reconnects: 0,
  rotations: 0,
  received: 0,
  replayed: 0,
  duplicates: 0,
  gaps: 0,
  unknown: 0,
  gatewayErrors: 0,
  lastEventAt: null,
  lastPongAt: null,
  roundTripMs: null,
  clockOffsetMs: null,
  latencyMs: null,
  sequence: null,
};
const nothing = (): void => {};

/** What the nearest provider hands down; throws where there is none. */
export function useProvided(): Provided {
  const provided = useContext(shared.context);
  if (!provided) throw new Error('There is no RealtimeProvider above this component');
  return provided;
}

/** The client, or null while the flag is off. */
export const useClient = (): RealtimeClient | null => useProvided().client;

/**
 * One part of the status: the component renders again only when that part changes.
 *
 * `select` must return the same value for the same status: a string, a number, a part of it.
 *
 * @example
 * ```tsx
 * const isStale = useRealtimeStatus((status) => status.state === 'connected' && status.stale);
 * ```
 */
export function useRealtimeStatus<R>(select: (status: ConnectionStatus) => R): R {
  const client = useClient();
  const subscribe = useCallback((listener: () => void): Unsubscribe => (client ? client.onStatus(listener) : nothing), [client]);
  const now = (): R => select(client ? client.getStatus() : OFF);
  // A server has no connection, and the first render in the browser has to agree with it.
  return useSyncExternalStore(subscribe, now, () => select(client ? NOT_STARTED : OFF));
}

const all = (status: ConnectionStatus): ConnectionStatus => status;
const describe = (status: ConnectionStatus, client: RealtimeClient | null): RealtimeConnection => ({
  isConnected: status.state === 'connected',
  connectionState: status.state,
  status,
  error: ('error' in status && status.error) || null,
  get stats() {
    return client ? client.getStats() : NO_STATS;
  },
});

/**
 * State of the connection. The component renders again when it changes, and not for events.
 *
 * @example
 * ```tsx
 * const { isConnected, status } = useRealtimeConnection();
 * if (status.state === 'reconnecting') return <p>Reconnecting, attempt {status.attempt}</p>;
 * ```
 */
export function useRealtimeConnection(): RealtimeConnection {
  const client = useClient();
  const status = useRealtimeStatus(all);
  return useMemo(() => describe(status, client), [status, client]);
}

/**
 * Everything: state of the connection, and how to steer it. Renders again when the state changes; a component that only listens takes {@link useRealtimeEvent}.
 *
 * While the flag is off, `subscribe` and the rest do nothing, and connect() rejects.
 *
 * @example
 * ```tsx
 * const { connectionState, retryNow } = useRealtime();
 * ```
 */
export function useRealtime(): RealtimeContextValue {
  const client = useClient();
  const status = useRealtimeStatus(all);
  return useMemo(
    () =>
      Object.defineProperties(
        {
          enabled: !!client,
          client,
          subscribe: client ? client.subscribe : () => nothing,
          connect: () => (client ? client.connect() : Promise.reject(new Error('Realtime is off'))),
          disconnect: client ? client.disconnect : nothing,
          retryNow: client ? client.retryNow : nothing,
        },
        Object.getOwnPropertyDescriptors(describe(status, client)),
      ) as RealtimeContextValue,
    [status, client],
  );
}
