'use client';
import { toast } from 'sonner';
import { actorOf, entityOf, EventTypes, isCatalogueType } from '../generated/events.js';
import type { CatalogueType, RealtimeEvent, RealtimeEventMap, RealtimeEventType } from '../generated/events.js';
import { sentenceOf } from '../generated/sentences.js';
import type { SentenceNames } from '../generated/sentences.js';
import type { RealtimeClient } from '../core/options.js';
import { useLatest, useSubscription } from '../react/useRealtimeEvent.js';
import { useProvided } from '../react/useRealtime.js';

type Camel<S extends string> = S extends `${infer A}.${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S extends `${infer A}_${infer B}` ? `${A}${Capitalize<Camel<B>>}` : S;

/** One function for each event of the catalogue: `issueCreated(data)`, `actionStatusChanged(data)`. */
export type RealtimeToasts = { readonly [T in CatalogueType as Camel<T>]: (data: Readonly<RealtimeEventMap[T]>) => void };

/** Options of {@link wireRealtimeToasts}. */
export interface ToastOptions {
  /**
   * The types that are shown.
   *
   * @defaultValue all
   */
  readonly only?: readonly RealtimeEventType[] | undefined;
  /**
   * Also what the signed-in user caused.
   *
   * @defaultValue false
   */
  readonly own?: boolean | undefined;
  /**
   * What was missed while away: each, one toast that says how many, or nothing.
   *
   * @defaultValue 'summary'
   */
  readonly replayed?: 'each' | 'summary' | 'none' | undefined;
  /**
   * More than so many within a second become one.
   *
   * @defaultValue 3
   */
  readonly groupAbove?: number | undefined;
  /**
   * `visible`: a page that nobody sees stays quiet.
   *
   * @defaultValue 'visible'
   */
  readonly when?: 'visible' | 'always' | undefined;
  /** Names that the application knows better than the event. */
  readonly names?: ((event: RealtimeEvent<CatalogueType>) => SentenceNames) | undefined;
  /**
   * What a summary says.
   *
   * @defaultValue "12 updates", "12 updates while you were away"
   */
  readonly summary?: ((count: number, away: boolean) => string) | undefined;
}

/** Shows one event, and returns the toast's id. Never an id of the event: who has no name is "Someone". */
const show = (event: RealtimeEvent<CatalogueType>, names?: SentenceNames): string | number => {
  const text = sentenceOf(event, names);
  if (event.type === 'goal.completed' || event.type === 'action.completed') return toast.success(text);
  if (event.type === 'issue.created' && event.data.severity === 'critical') return toast.error(text);
  if ((event.type === 'issue.created' && event.data.severity === 'high') || event.type === 'goal.cancelled') return toast.warning(text);
  return toast(text);
};

/**
 * Shows one event through sonner, by the sentence of its type.
 *
 * @example
 * ```ts
 * useRealtimeEvent({ eventType: 'issue.created', onEvent: ({ data }) => realtimeToasts.issueCreated(data) });
 * ```
 */
export const realtimeToasts: RealtimeToasts = Object.values(EventTypes).reduce<Record<string, (data: object) => void>>((toasts, type) => {
  toasts[type.replace(/[._](.)/g, (_, letter: string) => letter.toUpperCase())] = (data) => void show({ type, data } as unknown as RealtimeEvent<CatalogueType>);
  return toasts;
}, {}) as unknown as RealtimeToasts;

/**
 * Shows events as toasts. Returns how to end it.
 *
 * Without options: nothing the user did, one toast for all that was missed, one for more than three in a second, and only while the page is visible. A new session takes the toasts of the old one away.
 *
 * @example
 * ```ts
 * const stop = wireRealtimeToasts(client, { only: ['goal.completed', 'issue.created'] });
 * ```
 */
export function wireRealtimeToasts(client: RealtimeClient, options: ToastOptions = {}): () => void {
  return wire(client, () => options);
}

const wire = (client: RealtimeClient, latest: () => ToastOptions): (() => void) => {
  let shown: (string | number)[] = [];
  /** Those of the last second. */
  let burst: { readonly at: number; readonly id: string | number }[] = [];
  let group: { readonly id: string | number; count: number; until: number } | undefined;
  let missed: RealtimeEvent<CatalogueType>[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const say = (count: number, away: boolean): string => {
    const { summary } = latest();
    return summary ? summary(count, away) : `${count} updates${away ? ' while you were away' : ''}`;
  };
  const keep = (id: string | number): string | number => {
    shown = shown.slice(-99).concat(id);
    return id;
  };
  const nameOf = (event: RealtimeEvent<CatalogueType>): SentenceNames | undefined => latest().names?.(event);
  const clear = (): void => {
    clearTimeout(timer);
    timer = undefined;
    shown.forEach((id) => toast.dismiss(id));
    shown = [];
    burst = [];
    missed = [];
    group = undefined;
  };
  const stop = client.subscribe('*', (event, { own, replayed }) => {
    const { only, own: alsoOwn = false, replayed: how = 'summary', groupAbove = 3, when = 'visible' } = latest();
    if (!isCatalogueType(event.type) || (only && only.indexOf(event.type) < 0) || (own && !alsoOwn) || (replayed && how === 'none')) return;
    if (when === 'visible' && typeof document !== 'undefined' && document.visibilityState === 'hidden') return;
    if (replayed && how === 'summary') {
      missed.push(event);
      // What was missed comes in several messages.
      timer ??= setTimeout(() => {
        const all = missed;
        missed = [];
        timer = undefined;
        keep(all.length === 1 ? show(all[0] as RealtimeEvent<CatalogueType>, nameOf(all[0] as RealtimeEvent<CatalogueType>)) : toast(say(all.length, true)));
      }, 500);
      return;
    }
    const now = Date.now();
    burst = burst.filter(({ at }) => now - at < 1000);
    if (group && now < group.until) {
      group.count++;
      group.until = now + 1000;
      toast(say(group.count, false), { id: group.id });
    } else if (burst.length < groupAbove) burst.push({ at: now, id: keep(show(event, nameOf(event))) });
    else {
      burst.forEach(({ id }) => toast.dismiss(id));
      const count = burst.length + 1;
      burst = [];
      group = { id: keep(toast(say(count, false))), count, until: now + 1000 };
    }
  });
  const forget = client.onResync(({ reason }) => {
    if (reason === 'first') clear();
  });
  return () => {
    stop();
    forget();
    clear();
  };
};

/**
 * {@link wireRealtimeToasts} for as long as the component is mounted, with the names of the provider's `resolveUser` and `resolveEntity`. Call it once, near the root, beside sonner's Toaster.
 *
 * @example
 * ```tsx
 * useRealtimeToasts({ only: ['goal.completed', 'issue.created'] });
 * ```
 */
export function useRealtimeToasts(options: ToastOptions = {}): void {
  const { resolveUser, resolveEntity } = useProvided();
  const latest = useLatest<ToastOptions>({
    names: (event) => ({ actor: resolveUser?.(actorOf(event))?.name, entity: resolveEntity?.(entityOf(event))?.title }),
    ...options,
  });
  useSubscription(true, '', (client) => wire(client, () => latest.current));
}
