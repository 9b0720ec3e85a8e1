import type { Resync } from '../core/options.js';
import { useLatest, useSubscription } from './useRealtimeEvent.js';

/**
 * Calls `onResync` whenever local state may lack events: load it again. Events wait for the promise it returns, at most 10 s.
 *
 * A component that mounts when the connection is there already is not called for `first`: what it loads then is new enough.
 *
 * @example
 * ```tsx
 * useRealtimeResync(() => queryClient.invalidateQueries());
 * ```
 */
export function useRealtimeResync(onResync: (resync: Resync) => void | Promise<unknown>): void {
  const latest = useLatest(onResync);
  useSubscription(true, '', (client) => client.onResync((resync) => latest.current(resync)));
}
