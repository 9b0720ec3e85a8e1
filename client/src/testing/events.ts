import { isCatalogueType } from '../generated/events.js';
import type { RealtimeEvent, RealtimeEventMap, RealtimeEventType } from '../generated/events.js';
import { samples } from '../generated/samples.js';

/** The catalogue's sample payload of a type, with changes. */
export const dataOf = <T extends RealtimeEventType>(type: T, data?: Partial<RealtimeEventMap[T]>): Readonly<Record<string, unknown>> =>
  ({ ...(isCatalogueType(type) ? samples[type] : {}), ...data }) as Readonly<Record<string, unknown>>;

let made = 0;

/**
 * Makes a valid event: the catalogue's sample of the type, with changes to the payload. Each has a number and an id of its own.
 *
 * @example
 * ```ts
 * makeEvent('goal.created', { title: 'Ship' }).data.title; // 'Ship'
 * ```
 */
export function makeEvent<T extends RealtimeEventType>(type: T, data?: Partial<RealtimeEventMap[T]>): RealtimeEvent<T> {
  const sequence = 1_767_603_600_000 + ++made;
  return { type, timestamp: new Date(sequence).toISOString(), eventId: `test-${made}`, tenantId: 'test-tenant', sequence, data: { ...dataOf(type, data), tenantId: 'test-tenant' } } as unknown as RealtimeEvent<T>;
}
