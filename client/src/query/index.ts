'use client';
import { useLatest, useSubscription } from '../react/useRealtimeEvent.js';
import type { EventSelector, RealtimeEvent, Selected } from '../generated/events.js';
import type { RealtimeClient } from '../core/options.js';

/** What is needed of TanStack Query, SWR's mutate or RTK Query's dispatch. `keys` is empty for `resync`: everything may be out of date. */
export type Invalidate<K> = (keys: readonly K[], reason: 'event' | 'resync') => void | Promise<unknown>;

/** Which keys an event makes out of date. Made by {@link rule}. */
export interface InvalidationRule<S extends EventSelector, K> {
  readonly eventType: S | readonly S[];
  keys(event: RealtimeEvent<Selected<S>>): readonly K[];
}

/**
 * Makes a rule, in which `keys` gets the events of its own types.
 *
 * @example
 * ```ts
 * rule('goal.*', (event) => [['goals'], ['goals', event.data.goalId]])
 * ```
 */
export function rule<S extends EventSelector, K>(eventType: S | readonly S[], keys: (event: RealtimeEvent<Selected<S>>) => readonly K[]): InvalidationRule<EventSelector, K> {
  return { eventType, keys } as InvalidationRule<S, K> as unknown as InvalidationRule<EventSelector, K>;
}

/** Options of {@link invalidateOnEvents}. */
export interface InvalidationOptions<K> {
  readonly rules: readonly InvalidationRule<EventSelector, K>[];
  readonly invalidate: Invalidate<K>;
  /**
   * Milliseconds of quiet to wait for: equal keys become one.
   *
   * @defaultValue 250
   */
  readonly debounceMs?: number | undefined;
  /**
   * The longest wait in milliseconds.
   *
   * @defaultValue 1000
   */
  readonly maxWaitMs?: number | undefined;
  /**
   * After a resync the delay is drawn from 0 to so many milliseconds, so that a tenant's clients don't load at once.
   *
   * @defaultValue 2000
   */
  readonly spreadMs?: number | undefined;
  /**
   * While it returns true, the user's own events are left out: an optimistic update is under way.
   *
   * @defaultValue never
   */
  readonly paused?: (() => boolean) | undefined;
}

/**
 * Invalidates cached queries when events say so, and all of them after a resync. Returns how to end it.
 *
 * Equal keys, by their JSON, are invalidated once. What waits when a resync comes is covered by it.
 *
 * @example
 * ```ts
 * const stop = invalidateOnEvents<'Goal' | 'Issue'>(client, {
 *   rules: [rule('goal.*', () => ['Goal'] as const)],
 *   invalidate: (tags) => store.dispatch(api.util.invalidateTags(tags)),
 * });
 * ```
 */
export function invalidateOnEvents<K>(client: RealtimeClient, options: InvalidationOptions<K>): () => void {
  return listen(client, () => options);
}

const listen = <K>(client: RealtimeClient, latest: () => InvalidationOptions<K>): (() => void) => {
  let waiting = new Map<string, K>();
  let since: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let resyncing: ReturnType<typeof setTimeout> | undefined;
  const clear = (): void => {
    clearTimeout(timer);
    waiting = new Map();
    since = undefined;
  };
  const stops = latest().rules.map(({ eventType }, index) =>
    client.subscribe(eventType, (event, meta) => {
      const { rules, invalidate, debounceMs = 250, maxWaitMs = 1000, paused } = latest();
      const rule = rules[index];
      if (!rule || resyncing !== undefined || (meta.own && paused && paused())) return;
      for (const key of rule.keys(event)) waiting.set(JSON.stringify(key), key);
      if (!waiting.size) return;
      const now = Date.now();
      since ??= now;
      clearTimeout(timer);
      timer = setTimeout(
        () => {
          const keys = Array.from(waiting.values());
          clear();
          void invalidate(keys, 'event');
        },
        Math.max(0, Math.min(debounceMs, since + maxWaitMs - now)),
      );
    }),
  );
  stops.push(
    client.onResync(() => {
      clear();
      clearTimeout(resyncing);
      resyncing = setTimeout(
        () => {
          resyncing = undefined;
          void latest().invalidate([], 'resync');
        },
        Math.random() * (latest().spreadMs ?? 2000),
      );
    }),
    clear,
    () => clearTimeout(resyncing),
  );
  return () => stops.forEach((stop) => stop());
};

/**
 * {@link invalidateOnEvents} for as long as the component is mounted. Options may be new with every render; the types of the rules count when they change.
 *
 * @example
 * ```tsx
 * const queryClient = useQueryClient();
 * useRealtimeInvalidation({
 *   rules: [rule('goal.*', (event) => [['goals'], ['goals', event.data.goalId]])],
 *   invalidate: (keys, why) => (why === 'resync' ? queryClient.invalidateQueries() : Promise.all(keys.map((queryKey) => queryClient.invalidateQueries({ queryKey })))),
 * });
 * ```
 */
export function useRealtimeInvalidation<K>(options: InvalidationOptions<K>): void {
  const latest = useLatest(options);
  useSubscription(true, JSON.stringify(options.rules.map(({ eventType }) => eventType)), (client) => listen(client, () => latest.current));
}
