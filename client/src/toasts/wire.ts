import { isCatalogueType } from '../generated/events.js';
import type { CatalogueType, RealtimeEvent, RealtimeEventType } from '../generated/events.js';
import type { RealtimeClient } from '../core/options.js';
import { dismiss, isCritical, showEvent, showSummary } from './show.js';
import type { ToastId, ToastWords } from './show.js';

/** Options of {@link wireRealtimeToasts}. */
export interface ToastOptions extends ToastWords {
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
}

/** What was missed, or comes at once, comes in several messages. */
const GATHER = 500;
/** Then a group counts on no faster than it can be read, and read out. */
const COUNT = 1000;

/** Shows a client's events by the options of the moment. Returns how to end it. */
export const wire = (client: RealtimeClient, latest: () => ToastOptions): (() => void) => {
  let shown: ToastId[] = [];
  /** Those of the last second. */
  let burst: { readonly at: number; readonly id: ToastId; readonly event: RealtimeEvent<CatalogueType> }[] = [];
  let group: { id?: ToastId; count: number; critical: number; until: number } | undefined;
  let recount: ReturnType<typeof setTimeout> | undefined;
  let missed: RealtimeEvent<CatalogueType>[] = [];
  let gather: ReturnType<typeof setTimeout> | undefined;
  const keep = (id: ToastId): ToastId => {
    shown = shown.filter((other) => other !== id).slice(-99).concat(id);
    return id;
  };
  const clear = (): void => {
    clearTimeout(gather);
    clearTimeout(recount);
    shown.forEach(dismiss);
    gather = recount = group = undefined;
    shown = [];
    burst = [];
    missed = [];
  };
  const stop = client.subscribe('*', (event, { own, replayed }) => {
    const options = latest();
    const { only, own: alsoOwn = false, replayed: how = 'summary', groupAbove = 3, when = 'visible' } = options;
    if (!isCatalogueType(event.type) || (only && only.indexOf(event.type) < 0) || (own && !alsoOwn) || (replayed && how === 'none')) return;
    if (when === 'visible' && typeof document !== 'undefined' && document.visibilityState === 'hidden') return;
    if (replayed && how === 'summary') {
      missed.push(event);
      gather ??= setTimeout(() => {
        const [first, second] = missed;
        if (first) keep(second ? showSummary(missed.length, missed.filter(isCritical).length, true, latest()) : showEvent(first, latest()));
        missed = [];
        gather = undefined;
      }, GATHER);
      return;
    }
    // Not the time of day, which may be set back.
    const now = performance.now();
    burst = burst.filter(({ at }) => now - at < 1000);
    if (group && now >= group.until) group = undefined;
    if (!group && burst.length < groupAbove) return void burst.push({ at: now, event, id: keep(showEvent(event, options)) });
    group ||= { count: burst.length, critical: burst.filter((one) => isCritical(one.event)).length, until: 0 };
    burst.forEach(({ id }) => dismiss(id));
    burst = [];
    group.count++;
    if (isCritical(event)) group.critical++;
    group.until = now + 1000;
    recount ??= setTimeout(
      () => {
        recount = undefined;
        if (group) group.id = keep(showSummary(group.count, group.critical, false, latest(), group.id));
      },
      group.id === undefined ? GATHER : COUNT,
    );
  });
  const forget = client.onSession(clear);
  return () => {
    stop();
    forget();
    clear();
  };
};
