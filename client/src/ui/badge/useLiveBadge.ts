import { useCallback, useEffect, useState } from 'react';
import type { EntityRef, EventSelector } from '../../generated/events.js';
import { useClient } from '../../react/useRealtime.js';
import { useCommitted, useFiltered } from '../../react/useRealtimeEvent.js';

/** Milliseconds for which the badge is shown, unless it is said otherwise. */
export const SHOWN = 3000;

/** Options of {@link useLiveBadge}. */
export interface UseLiveBadgeOptions {
  /**
   * Milliseconds after the last trigger; 0 = stays until hideBadge().
   *
   * @defaultValue 3000
   */
  autoHideDuration?: number | undefined;
  /** Events that trigger it: one type, several, `'goal.*'` or `'*'`. Without it only triggerBadge() does. */
  eventType?: EventSelector | readonly EventSelector[] | undefined;
  /** Only events about this entity, or this kind of entity. */
  where?: Partial<EntityRef> | undefined;
  /**
   * Also what the signed-in user caused.
   *
   * @defaultValue false
   */
  own?: boolean | undefined;
}

/** What {@link useLiveBadge} returns. The functions are the same in every render. */
export interface LiveBadgeControl {
  readonly showBadge: boolean;
  /** For a {@link LiveBadge} that is there for as long as `showBadge` is true, whatever its own time. */
  readonly badgeProps: { readonly show: boolean; readonly autoHideDuration: 0 };
  triggerBadge: () => void;
  hideBadge: () => void;
}

/**
 * When to show a {@link LiveBadge}: for a while after triggerBadge(), or after an event. What was missed while away triggers nothing, and a new session begins without it.
 *
 * A trigger while it is shown makes it stay longer: showBadge is false for one commit that is never painted, so that a LiveBadge appears anew.
 *
 * @example
 * ```tsx
 * const { badgeProps } = useLiveBadge({ eventType: 'goal.*', where: { kind: 'goal', id: goal.id } });
 * return <h3>{goal.title} <LiveBadge {...badgeProps} /></h3>;
 * ```
 */
export function useLiveBadge(options: UseLiveBadgeOptions = {}): LiveBadgeControl {
  const { autoHideDuration = SHOWN, eventType, where, own = false } = options;
  const client = useClient();
  const [last, setLast] = useState({ client, count: 0 });
  const [shown, setShown] = useState(0);
  // Another client has no part in it, also when the same one comes back.
  if (last.client !== client) setLast({ client, count: 0 });
  const count = client && last.client === client ? last.count : 0;
  const triggerBadge = useCallback(() => setLast((before) => (before.client === client ? { client, count: before.count + 1 } : before)), [client]);
  const hideBadge = useCallback(() => setLast((before) => (before.client === client ? { client, count: 0 } : before)), [client]);
  useFiltered({ eventType: eventType || [], where, enabled: !!eventType, replayed: false, own }, triggerBadge);
  useEffect(() => client?.onSession(hideBadge), [client, hideBadge]);
  useCommitted(() => setShown(count), [count]);
  useEffect(() => {
    if (!count || !autoHideDuration) return undefined;
    const timer = setTimeout(hideBadge, autoHideDuration);
    return () => clearTimeout(timer);
  }, [count, autoHideDuration, hideBadge]);
  const showBadge = count > 0 && shown === count;
  return { showBadge, badgeProps: { show: showBadge, autoHideDuration: 0 }, triggerBadge, hideBadge };
}
