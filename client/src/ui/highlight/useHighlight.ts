import { useCallback, useEffect, useRef } from 'react';
import type { RefCallback } from 'react';
import type { EntityRef, EventSelector } from '../../generated/events.js';
import { useClient } from '../../react/useRealtime.js';
import { useFiltered } from '../../react/useRealtimeEvent.js';
import { flash, unflash } from './flash.js';

/** Options of {@link useHighlight}: on events about an entity, on events of a type, or when a value changes. */
export interface UseHighlightOptions {
  /** What the element shows: events about it highlight it. */
  entity?: EntityRef | undefined;
  /**
   * Which events do: one type, several, `'goal.*'` or `'*'`.
   *
   * @defaultValue '*' with `entity`, otherwise none
   */
  eventType?: EventSelector | readonly EventSelector[] | undefined;
  /** A change of this value highlights the element, too; its first value doesn't. */
  trigger?: string | number | boolean | undefined;
  /**
   * Milliseconds.
   *
   * @defaultValue the CSS variable `--rt-highlight`: 1600
   */
  duration?: number | undefined;
  /**
   * Also what the signed-in user caused.
   *
   * @defaultValue false
   */
  own?: boolean | undefined;
}

/**
 * Highlights an element when what it shows changes: the ref is for that element. Nothing renders for it; while it lasts, the element has the attribute `data-rt-highlight`, `full` or, among many, `bar`. It is drawn by two animations of the element that no rule for `animation` changes, above its own shadow and ground.
 *
 * Another entity or session ends it.
 *
 * @example
 * ```tsx
 * const ref = useHighlight<HTMLTableRowElement>({ entity: { kind: 'action', id: action.id } });
 * return <tr ref={ref}>…</tr>;
 * ```
 */
export function useHighlight<T extends HTMLElement | SVGElement>(options: UseHighlightOptions): RefCallback<T> {
  const { entity, eventType, trigger, duration, own = false } = options;
  const client = useClient();
  const element = useRef<T | null>(null);
  const ref = useCallback((next: T | null) => {
    if (element.current) unflash(element.current);
    element.current = next;
  }, []);
  const start = (): void => {
    if (element.current) flash(element.current, duration);
  };
  useFiltered({ eventType: eventType || '*', where: entity, enabled: !!(entity || eventType), own }, start);

  const shows = entity && `${entity.kind}/${entity.id}`;
  useEffect(
    () => () => {
      if (element.current) unflash(element.current);
    },
    [client, shows],
  );
  const last = useRef({ client, shows, trigger });
  useEffect(
    () =>
      client?.onSession(() => {
        if (element.current) unflash(element.current);
        last.current = { ...last.current, client: null };
      }),
    [client],
  );
  useEffect(() => {
    const { client: before, shows: showed, trigger: was } = last.current;
    last.current = { client, shows, trigger };
    // A value that is another's is no change.
    if (client && before === client && showed === shows && was !== trigger && element.current) flash(element.current, duration);
  }, [client, shows, trigger, duration]);
  return ref;
}
