import { useEffect, useLayoutEffect, useRef } from 'react';
import type { EntityRef, EventSelector, RealtimeEvent, Selected } from '../generated/events.js';
import type { EventHandler, EventMeta, RealtimeClient } from '../core/options.js';
import { useClient } from './useRealtime.js';

/** Which events a hook takes. */
export interface EventFilter<S extends EventSelector> {
  /** One type, several, all below a prefix such as `'goal.*'`, or `'*'`. */
  eventType: S | readonly S[];
  /**
   * Only events about this entity, or this kind of entity.
   *
   * @defaultValue undefined
   */
  where?: Partial<EntityRef> | undefined;
  /**
   * false = neither delivered nor kept for later.
   *
   * @defaultValue true
   */
  enabled?: boolean | undefined;
  /**
   * Also what was missed while away.
   *
   * @defaultValue true
   */
  replayed?: boolean | undefined;
  /**
   * Also what the signed-in user caused.
   *
   * @defaultValue true
   */
  own?: boolean | undefined;
}

/** Options of {@link useRealtimeEvent}. */
export interface UseRealtimeEventOptions<S extends EventSelector> extends EventFilter<S> {
  onEvent: EventHandler<S>;
  /** @deprecated Has no effect: the newest onEvent is always the one called. */
  dependencies?: readonly unknown[] | undefined;
}

/** useLayoutEffect, also where there is a server: there is no layout on it, and React 18 says so. */
export const useCommitted = typeof window === 'undefined' ? useEffect : useLayoutEffect;

/** A ref to the newest value that was rendered for good. */
export const useLatest = <T>(value: T): { readonly current: T } => {
  const ref = useRef(value);
  useCommitted(() => {
    ref.current = value;
  });
  return ref;
};

/** Subscribes while mounted and enabled. `begin` gets the client and may return what to do in the end. */
export const useSubscription = (enabled: boolean, key: string, begin: (client: RealtimeClient) => () => void): void => {
  const client = useClient();
  const latest = useLatest(begin);
  useEffect(() => (client && enabled ? latest.current(client) : undefined), [client, enabled, key, latest]);
};

/** Subscribes to what the filter lets through. `end` is called when no more comes, and when what came is of a session that has ended. */
export const useFiltered = <S extends EventSelector>(filter: EventFilter<S>, take: (event: RealtimeEvent<Selected<S>>, meta: EventMeta) => unknown, end?: () => void): void => {
  const { eventType, where, enabled = true } = filter;
  const latest = useLatest({ filter, take });
  useSubscription(enabled, JSON.stringify([eventType, where]), (client) => {
    const stop = client.subscribe(
      eventType,
      (event, meta) => {
        const { replayed = true, own = true } = latest.current.filter;
        // What it returns is passed on: a rejected promise is reported.
        return (replayed || !meta.replayed) && (own || !meta.own) ? (latest.current.take(event, meta) as void) : undefined;
      },
      { where },
    );
    const stopEnding = end && client.onSession(end);
    return () => {
      stop();
      stopEnding?.();
      end?.();
    };
  });
};

/**
 * Calls `onEvent` for each event it names, once and in order.
 *
 * The listener lives as long as the component; the connection belongs to the provider. A new function with every render is free: the newest is called, and nothing subscribes anew. `onEvent` runs outside rendering, so it may set state; what it throws goes to `onError`.
 *
 * @example
 * ```tsx
 * useRealtimeEvent({
 *   eventType: 'goal.completed',
 *   where: { kind: 'goal', id: goal.id },
 *   onEvent: (event, meta) => setNotes(event.data.finalNotes),
 * });
 * ```
 */
export function useRealtimeEvent<S extends EventSelector>(options: UseRealtimeEventOptions<S>): void {
  const { onEvent } = options;
  useFiltered(options, onEvent);
}
