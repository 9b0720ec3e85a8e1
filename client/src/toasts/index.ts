'use client';
import { EventTypes } from '../generated/events.js';
import type { CatalogueType, RealtimeEvent, RealtimeEventMap } from '../generated/events.js';
import type { RealtimeClient } from '../core/options.js';
import { useProvided } from '../react/useRealtime.js';
import { useLatest, useSubscription } from '../react/useRealtimeEvent.js';
import { showEvent } from './show.js';
import type { ToastWords } from './show.js';
import { wire } from './wire.js';
import type { ToastOptions } from './wire.js';

export type { ToastWords } from './show.js';
export type { ToastOptions } from './wire.js';

type Camel<S extends string> = S extends `${infer A}.${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S;

/** One function for each event of the catalogue: `issueCreated(data)`, `actionStatusChanged(data)`. */
export type RealtimeToasts = { readonly [T in CatalogueType as Camel<T>]: (data: Readonly<RealtimeEventMap[T]>, words?: ToastWords) => void };

/**
 * Shows one event through sonner, also outside of React. Without `words` it is in English, named as the event names it, and no link.
 *
 * @example
 * ```ts
 * useRealtimeEvent({ eventType: 'issue.created', onEvent: ({ data }) => realtimeToasts.issueCreated(data) });
 * ```
 */
export const realtimeToasts: RealtimeToasts = Object.values(EventTypes).reduce<Record<string, (data: object, words?: ToastWords) => void>>((toasts, type) => {
  toasts[type.replace(/[._](.)/g, (_, letter: string) => letter.toUpperCase())] = (data, words = {}) => void showEvent({ type, data } as unknown as RealtimeEvent<CatalogueType>, words);
  return toasts;
}, {}) as unknown as RealtimeToasts;

/**
 * Shows events as toasts in the application's own sonner Toaster, in the look of styles.css. Returns how to end it.
 *
 * Without options: nothing the user did, one toast for all that was missed, one for more than three in a second, and only while the page is visible. A toast stays for 5 s in which nobody points at it or has the focus in it, at most three at a time; a critical issue stays until it is dismissed. A new session takes the toasts of the old one away.
 *
 * @example
 * ```ts
 * const stop = wireRealtimeToasts(client, { only: ['goal.completed', 'issue.created'] });
 * ```
 */
export function wireRealtimeToasts(client: RealtimeClient, options: ToastOptions = {}): () => void {
  return wire(client, () => options);
}

/**
 * {@link wireRealtimeToasts} for as long as the component is mounted, with the provider's `labels`, `resolveUser` and `resolveEntity`. Call it once, near the root, beside sonner's Toaster.
 *
 * @example
 * ```tsx
 * useRealtimeToasts({ only: ['goal.completed', 'issue.created'] });
 * ```
 */
export function useRealtimeToasts(options: ToastOptions = {}): void {
  const { labels, resolveUser, resolveEntity } = useProvided();
  const latest = useLatest<ToastOptions>({ resolveUser, resolveEntity, ...options, labels: { ...labels, ...options.labels } });
  useSubscription(true, '', (client) => wire(client, () => latest.current));
}
