import { actorOf, isCatalogueType } from '../generated/events.js';
import type { RealtimeEvent, RealtimeEventMap, RealtimeEventType } from '../generated/events.js';
import { samples } from '../generated/samples.js';

/** A payload with changes. Its actor's name is not another actor's. */
export const changed = (type: RealtimeEventType, sample: object, changes?: object): Readonly<Record<string, unknown>> => {
  const by = (data: object): string | undefined => actorOf({ type, data } as RealtimeEvent);
  const all: Record<string, unknown> = { ...sample, ...changes };
  if (by(all) !== by(sample) && all.actorName === (sample as { actorName?: string }).actorName) delete all.actorName;
  return all;
};

/** The catalogue's sample payload of a type, with changes. */
export const dataOf = <T extends RealtimeEventType>(type: T, data?: Partial<RealtimeEventMap[T]>): Readonly<Record<string, unknown>> =>
  isCatalogueType(type) ? changed(type, samples[type], data) : { ...data };

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
