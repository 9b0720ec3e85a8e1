import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { KeyboardEvent, ReactElement, ReactNode } from 'react';
import { GRACE } from '../indicator/shown.js';
import type { ConnectionStatus } from '../../core/status.js';
import { useClient, useRealtimeStatus } from '../../react/useRealtime.js';
import { useCommitted } from '../../react/useRealtimeEvent.js';
import type { ShownActivity } from './activity.js';
import type { InitialActivity } from './state.js';
import { isAbove, isInScroller, scrollBackTo, watchReturn } from './reader.js';
import { Row } from './Row.js';
import type { RenderActivity } from './Row.js';
import { useNow, useTimeFormat } from './time.js';
import type { TimeFormat } from './time.js';
import { useActivityFeed } from './useActivityFeed.js';
import type { ActivityRow } from './useActivityFeed.js';
import { useFeedWords } from './words.js';

/** Props of {@link GoalActivityFeed}. */
export interface GoalActivityFeedProps {
  goalId: string;
  /**
   * What happened before, in any order: entries of the application's own or events. A new list takes the place of the one before; what came through the connection stays.
   *
   * @defaultValue none
   */
  initialActivities?: readonly InitialActivity[] | undefined;
  /**
   * The most entries that are kept; the oldest go first. Each press of "Show earlier" allows as many again.
   *
   * @defaultValue 50
   */
  maxActivities?: number | undefined;
  /**
   * Shows what is new at once, and scrolls the feed back to its top. Otherwise a button "3 new updates" appears while the reader is further down, and nothing moves.
   *
   * @defaultValue false
   */
  autoScroll?: boolean | undefined;
  className?: string | undefined;
  /**
   * Its name for assistive technology: where there are several, each needs its own.
   *
   * @defaultValue the provider's label `feed`
   */
  label?: string | undefined;
  /** What stands in a row instead, or around what stands there. Several alike that stand together are the feed's own. */
  renderItem?: RenderActivity | undefined;
  /** What stands in an empty feed instead. */
  empty?: ReactNode;
  /**
   * initialActivities are on their way.
   *
   * @defaultValue false
   */
  loading?: boolean | undefined;
  /** They could not be had. Events that happen are shown all the same. */
  error?: { readonly message?: string | undefined; readonly retry?: (() => void) | undefined } | undefined;
  /** The reader wants what is older: hand it in among initialActivities. */
  onLoadMore?: (() => void) | undefined;
  /**
   * There is something older.
   *
   * @defaultValue false
   */
  hasMore?: boolean | undefined;
}

/** Not: being made for the first time, off, signed out. */
const isLost = (status: ConnectionStatus): boolean =>
  status.state === 'reconnecting' || status.state === 'error' || (status.state === 'disconnected' && (status.reason === 'closed' || status.reason === 'replaced'));

/** "Updates paused", when the connection is lost for longer than anybody should notice. */
const Paused = ({ format }: { readonly format: TimeFormat }): ReactElement | null => {
  const { paused } = useFeedWords();
  const client = useClient();
  const lost = useRealtimeStatus(isLost);
  const [since, setSince] = useState<number | null>(null);
  useEffect(() => {
    if (!lost || !client) return undefined;
    const status = client.getStatus();
    const at = status.state === 'reconnecting' ? status.since : Date.now();
    const timer = setTimeout(() => setSince(at), GRACE);
    return () => {
      clearTimeout(timer);
      setSince(null);
    };
  }, [lost, client]);
  return since === null ? null : <div className="rt-feed-note rt-feed-paused">{paused(format.clock(since))}</div>;
};

const newestOf = (items: readonly ShownActivity[]): ShownActivity => items[0] as ShownActivity;
const articlesOf = (feed: Element | null): readonly HTMLElement[] => (feed ? Array.from(feed.querySelectorAll<HTMLElement>(':scope > article')) : []);

/**
 * What happens to a goal, live: comments, changes of its actions, issues and measures, newest first. Nothing moves while the reader is further down, what was missed is set apart, and many alike are one row.
 *
 * It scrolls with the page; below a header that stays, set `--rt-feed-inset` to the header's height. To let it scroll by itself, give its class a height and `overflow: auto`.
 *
 * @example
 * ```tsx
 * <GoalActivityFeed goalId={goal.id} initialActivities={data?.activities} loading={isLoading} />
 * ```
 */
export function GoalActivityFeed(props: GoalActivityFeedProps): ReactElement | null {
  const { goalId, initialActivities, maxActivities, autoScroll = false, className, label, renderItem, empty, loading = false, error, onLoadMore, hasMore = false } = props;
  const labels = useFeedWords();
  const { locale, justNow, each } = labels;
  const name = label ?? labels.feed;
  const format = useTimeFormat(locale, justNow);
  const region = useRef<HTMLElement>(null);
  const top = useRef<HTMLDivElement>(null);
  const feed = useRef<HTMLDivElement>(null);
  const hold = useCallback(() => !autoScroll && !!top.current && isAbove(top.current), [autoScroll]);
  const { rows, newCount, showNew, extend } = useActivityFeed({ goalId, initialActivities, maxActivities, hold });
  const now = useNow(useMemo(() => rows.map(({ items }) => newestOf(items).time), [rows]));

  useEffect(() => (newCount > 0 && top.current && typeof IntersectionObserver === 'function' ? watchReturn(top.current, showNew) : undefined), [newCount, showNew]);

  const newest = rows[0]?.items[0]?.id;
  useEffect(() => {
    const element = top.current;
    // An application's page is not the feed's to scroll.
    if (autoScroll && newest !== undefined && element && isInScroller(element) && isAbove(element)) scrollBackTo(element);
  }, [autoScroll, newest]);

  /** The entry that has, or last had, the focus. */
  const [current, setCurrent] = useState<string>();
  /** The focus is on the region or within it. */
  const hasFocus = useRef(false);
  const onFocus = useCallback((row: ActivityRow) => setCurrent(newestOf(row.items).id), []);
  const reached = Math.max(
    0,
    rows.findIndex(({ items }) => items.some(({ id }) => id === current)),
  );

  // The article with the focus has become part of a group, which takes it over; or it was the oldest; or what a button has asked for is there. What is removed is not blurred.
  useCommitted(() => {
    if (hasFocus.current && document.activeElement === document.body) (articlesOf(feed.current)[reached] ?? region.current)?.focus({ preventScroll: true });
  });

  /** Where the focus goes when there is what a button has asked for: to the row below this entry; '' = the first. */
  const [refocus, setRefocus] = useState<{ readonly below: string }>();
  useCommitted(() => {
    if (!refocus) return;
    const { below } = refocus;
    const article = articlesOf(feed.current)[below ? rows.findIndex(({ items }) => items.some(({ id }) => id === below)) + 1 : 0];
    if (!article) return;
    setRefocus(undefined);
    const active = document.activeElement;
    // Meanwhile the reader may have gone elsewhere.
    if (active !== document.body && !article.closest('section')?.contains(active)) return;
    article.focus({ preventScroll: true });
    if (!below && top.current) scrollBackTo(top.current);
  }, [refocus, rows]);

  const onKeyDown = (event: KeyboardEvent): void => {
    const step = event.key === 'PageDown' ? 1 : event.key === 'PageUp' ? -1 : 0;
    const { target } = event;
    if (!step || !(target instanceof Element) || target.closest('input, textarea, select, [contenteditable]')) return;
    const articles = articlesOf(feed.current);
    const next = articles[articles.findIndex((article) => article.contains(target)) + step];
    // At either end it is the page's to scroll.
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  const isEmpty = !rows.length;
  const oldest = rows[rows.length - 1]?.items.slice(-1)[0]?.id ?? '';
  const [emptyTitle, emptyText] = labels.feedEmpty;
  return (
    <section
      ref={region}
      className={'rt-feed' + (className ? ' ' + className : '')}
      aria-label={name}
      aria-busy={loading}
      tabIndex={-1}
      onFocus={() => (hasFocus.current = true)}
      onBlur={() => (hasFocus.current = false)}
    >
      <div ref={top} className="rt-feed-top" />
      {newCount > 0 && (
        <div className="rt-feed-new">
          <button
            type="button"
            onClick={() => {
              showNew();
              setRefocus({ below: '' });
            }}
          >
            {labels.newItems(newCount)}
          </button>
        </div>
      )}
      {error && (
        <div className="rt-feed-note rt-feed-error">
          <span>{error.message ?? labels.feedFailed}</span>
          {error.retry && (
            <button type="button" className="rt-feed-button" onClick={() => error.retry?.()}>
              {labels.tryAgain}
            </button>
          )}
        </div>
      )}
      {!isEmpty && (
        <div ref={feed} role="feed" aria-label={name} aria-busy={loading} onKeyDown={onKeyDown}>
          {rows.flatMap((row, i) => {
            const { key, items, missed } = row;
            const article = (
              <Row
                key={key}
                row={row}
                position={i + 1}
                total={hasMore ? -1 : rows.length}
                isCurrent={i === reached}
                onFocus={onFocus}
                format={format}
                ago={now === null ? null : format.relative(newestOf(items).time, now)}
                each={each}
                renderItem={renderItem}
              />
            );
            if (missed === undefined) return [article];
            return [
              <div key="missed" className="rt-feed-missed">
                {labels.missed(missed)}
              </div>,
              article,
            ];
          })}
        </div>
      )}
      {isEmpty && loading && (
        <div className="rt-feed-loading" aria-hidden="true">
          {[1, 2, 3].map((n) => (
            <div key={n} className="rt-feed-row">
              <span className="rt-feed-avatar" />
              <div className="rt-feed-main">
                <div className="rt-feed-line" />
                <div className="rt-feed-line" />
              </div>
            </div>
          ))}
        </div>
      )}
      {isEmpty &&
        !loading &&
        !error &&
        (empty ?? (
          <div className="rt-feed-empty">
            <svg viewBox="0 0 24 24" width="24" height="24" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
              <path d="M4 5.5h16v11h-9l-4 3.5v-3.5H4zM8 9.5h8M8 12.5h5" />
            </svg>
            <div className="rt-feed-name">{emptyTitle}</div>
            <div className="rt-feed-body">{emptyText}</div>
          </div>
        ))}
      {hasMore && onLoadMore && !isEmpty && (
        <div className="rt-feed-note">
          <button
            type="button"
            className="rt-feed-button"
            onBlur={() => setRefocus(undefined)}
            onClick={() => {
              setRefocus({ below: oldest });
              extend();
              onLoadMore();
            }}
          >
            {labels.earlier}
          </button>
        </div>
      )}
      <Paused format={format} />
    </section>
  );
}
