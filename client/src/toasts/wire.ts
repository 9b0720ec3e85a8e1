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

/** What was missed comes in several messages. */
const GATHER = 500;
/** A group counts on no faster than it can be read, and read out. */
const COUNT = 1000;

/** Shows a client's events by the options of the moment. Returns how to end it. */
export const wire = (client: RealtimeClient, latest: () => ToastOptions): (() => void) => {
  let shown: ToastId[] = [];
  /** Those of the last second. */
  let burst: { readonly at: number; readonly id: ToastId; readonly event: RealtimeEvent<CatalogueType> }[] = [];
  let group: { readonly id: ToastId; count: number; critical: number; until: number } | undefined;
  let recount: ReturnType<typeof setTimeout> | undefined;
  let missed: RealtimeEvent<CatalogueType>[] = [];
  let gather: ReturnType<typeof setTimeout> | undefined;
  const keep = (id: ToastId): ToastId => {
    shown = shown.slice(-99).concat(id);
    return id;
  };
  const summarize = (events: readonly RealtimeEvent<CatalogueType>[], away: boolean): ToastId =>
    keep(showSummary(events.length, events.filter(isCritical).length, away, latest()));
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
        if (first) second ? summarize(missed, true) : keep(showEvent(first, latest()));
        missed = [];
        gather = undefined;
      }, GATHER);
      return;
    }
    const now = Date.now();
    burst = burst.filter(({ at }) => now - at < 1000);
    if (group && now < group.until) {
      group.count++;
      if (isCritical(event)) group.critical++;
      group.until = now + 1000;
      recount ??= setTimeout(() => {
        recount = undefined;
        if (group) showSummary(group.count, group.critical, false, latest(), group.id);
      }, COUNT);
    } else if (burst.length < groupAbove) burst.push({ at: now, event, id: keep(showEvent(event, options)) });
    else {
      burst.forEach(({ id }) => dismiss(id));
      const events = burst.map((one) => one.event).concat(event);
      burst = [];
      group = { id: summarize(events, false), count: events.length, critical: events.filter(isCritical).length, until: now + 1000 };
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
