import { useRef } from 'react';
import type { EventSelector, RealtimeEvent, Selected } from '../generated/events.js';
import type { EventMeta } from '../core/options.js';
import { onNextFrame } from './frame.js';
import { useFiltered, useLatest } from './useRealtimeEvent.js';
import type { EventFilter } from './useRealtimeEvent.js';

/** Options of {@link useRealtimeBatch}. */
export interface UseRealtimeBatchOptions<S extends EventSelector> extends EventFilter<S> {
  onEvents: (events: readonly RealtimeEvent<Selected<S>>[], meta: readonly EventMeta[]) => void;
  /**
   * The longest wait in milliseconds.
   *
   * @defaultValue one animation frame; 100 while the page is hidden, where there are no frames
   */
  maxWaitMs?: number | undefined;
}

/**
 * Calls `onEvents` with all events since the last call, at most once per animation frame: for tables and charts that many events change.
 *
 * Events that wait when the component unmounts, or the session changes, are dropped.
 *
 * @example
 * ```tsx
 * useRealtimeBatch({ eventType: 'action.*', onEvents: (events) => setRows((rows) => events.reduce(apply, rows)) });
 * ```
 */
export function useRealtimeBatch<S extends EventSelector>(options: UseRealtimeBatchOptions<S>): void {
  const { maxWaitMs } = options;
  const latest = useLatest(options.onEvents);
  const waiting = useRef<{ events: RealtimeEvent<Selected<S>>[]; meta: EventMeta[]; cancel?: (() => void) | undefined }>({ events: [], meta: [] });
  const drop = (): void => {
    const { cancel } = waiting.current;
    if (cancel) cancel();
    waiting.current = { events: [], meta: [] };
  };
  useFiltered(
    options,
    (event, meta) => {
      const batch = waiting.current;
      batch.events.push(event);
      batch.meta.push(meta);
      batch.cancel ??= onNextFrame(() => {
        drop();
        latest.current(batch.events, batch.meta);
      }, maxWaitMs);
    },
    drop,
  );
}
