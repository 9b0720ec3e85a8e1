import { useCallback, useEffect, useMemo, useReducer, useState } from 'react';
import type { RealtimeClient } from '../../core/options.js';
import { goalIdOf } from '../../generated/events.js';
import type { RealtimeEvent } from '../../generated/events.js';
import { onNextFrame } from '../../react/frame.js';
import { useIsBrowser } from '../../react/now.js';
import { useProvided } from '../../react/useRealtime.js';
import { useLatest, useSubscription } from '../../react/useRealtimeEvent.js';
import { describer } from './activity.js';
import type { SentencePart, ShownActivity } from './activity.js';
import { emptyFeed, isSame, reduceFeed } from './state.js';
import type { Arrival, FeedAction, InitialActivity } from './state.js';
import { useFeedWords } from './words.js';

/** Options of {@link useActivityFeed}. */
export interface UseActivityFeedOptions {
  goalId: string;
  /**
   * What happened before, in any order: entries of the application's own or events. A new list takes the place of the one before; what came through the connection stays.
   *
   * @defaultValue none
   */
  initialActivities?: readonly InitialActivity[] | undefined;
  /**
   * The most entries that are kept; the oldest go first.
   *
   * @defaultValue 50
   */
  maxActivities?: number | undefined;
  /**
   * Asked when something new has come: true keeps it back until showNew(), because the reader is further down. What the signed-in user did is never kept back.
   *
   * @defaultValue never
   */
  hold?: (() => boolean) | undefined;
}

/** Entries that stand together: one, or at least four alike of one person within two minutes. */
export interface ActivityRow {
  /** The same for the same row, also while it grows. */
  readonly key: string;
  /** Newest first. */
  readonly items: readonly ShownActivity[];
  /** What several are together. */
  readonly sentence: readonly SentencePart[];
  /** The newest has happened just now, and was not missed. */
  readonly isLive: boolean;
  /** It is the newest of so many that were missed while the connection was lost. */
  readonly missed: number | undefined;
}

/** What {@link useActivityFeed} returns. */
export interface ActivityFeed {
  /** Newest first. */
  readonly rows: readonly ActivityRow[];
  /** How many are kept back. */
  readonly newCount: number;
  /** Shows what was kept back. */
  showNew(): void;
  /** Allows so many entries more, for a list that has grown at its old end. */
  extend(): void;
}

const NONE: readonly InitialActivity[] = [];
const recall = (client: RealtimeClient, goalId: string): readonly RealtimeEvent[] => client.recent('*').filter((event) => goalIdOf(event) === goalId);
/** No session has begun that anything could be of. */
const isNobodys = (client: RealtimeClient): boolean => client.getStatus().state === 'disconnected' && client.getStats().sequence === null;
/** Shorter interruptions nobody has noticed. */
const ABSENCE = 2000;

/**
 * The activities of one goal, its actions, issues and measures included: those the application hands in and those that happen, each once, newest first and bounded. Another session empties it.
 *
 * However many events come, it renders once per animation frame.
 *
 * @example
 * ```tsx
 * const { rows, newCount, showNew } = useActivityFeed({ goalId, hold: () => list.current!.scrollTop > 0 });
 * ```
 */
export function useActivityFeed(options: UseActivityFeedOptions): ActivityFeed {
  const { goalId, initialActivities = NONE, maxActivities = 50 } = options;
  const { client, resolveUser, resolveEntity } = useProvided();
  const labels = useFeedWords();
  const [pages, setPages] = useState(1);
  const limit = maxActivities * pages;
  const isBrowser = useIsBrowser();
  /** What a feed begins with: a server has heard of nothing, and the first render in the browser has to agree with it. */
  const first = (): readonly FeedAction[] => [
    { do: 'list', source: initialActivities, limit: maxActivities, hold: false },
    { do: 'recall', events: client && isBrowser ? recall(client, goalId) : [] },
  ];
  const [state, dispatch] = useReducer(reduceFeed, emptyFeed(maxActivities), (empty) => first().reduce(reduceFeed, empty));
  const latest = useLatest(options);

  const [whose, setWhose] = useState({ goalId, client });
  if (whose.goalId !== goalId || whose.client !== client) {
    // The application's list of another goal or session is not for this one; that of none, while the flag is off, is.
    const isOther = whose.goalId !== goalId || (whose.client && client);
    dispatch(isOther ? { do: 'forget', source: isSame(state.source, initialActivities) ? initialActivities : state.source } : { do: 'clear' });
    first().forEach(dispatch);
    setPages(1);
    setWhose({ goalId, client });
  }

  useEffect(() => {
    const { hold } = latest.current;
    dispatch({ do: 'list', source: initialActivities, limit, hold: !!hold && hold() });
  }, [initialActivities, limit, latest]);

  useSubscription(true, goalId, (source) => {
    let waiting: Arrival[] = [];
    let cancel: (() => void) | undefined;
    const drop = (): void => {
      if (cancel) cancel();
      cancel = undefined;
      waiting = [];
    };
    const flush = (): void => {
      const arrivals = waiting;
      drop();
      const { hold } = latest.current;
      dispatch({ do: 'arrive', arrivals, hold: !!hold && hold() });
    };
    /** Nobody was here: the list that is there is of whoever comes. */
    let wasNobodys = isNobodys(source);
    const stops = [
      source.subscribe('*', (event, { replayed, latencyMs, own }) => {
        if (goalIdOf(event) !== goalId) return;
        waiting.push({ event, missed: replayed && latencyMs >= ABSENCE, own });
        cancel ??= onNextFrame(flush);
      }),
      source.onStatus(({ state }) => {
        if (state === 'connected') wasNobodys = false;
        else dispatch({ do: 'leave' });
      }),
      source.onSession(() => {
        drop();
        if (!wasNobodys) dispatch({ do: 'forget', source: latest.current.initialActivities ?? NONE });
        wasNobodys = isNobodys(source);
      }),
      drop,
    ];
    dispatch({ do: 'recall', events: recall(source, goalId) });
    return () => stops.forEach((stop) => stop());
  });

  const describe = useMemo(() => describer(labels, { resolveUser, resolveEntity }), [labels, resolveUser, resolveEntity]);
  const { rows: all, absence, missed, newCount } = state;
  const rows = useMemo(() => {
    const newestMissed = missed ? all.findIndex(({ entries }) => entries.some((entry) => entry.absence === absence)) : -1;
    return all.map(({ key, entries }, i): ActivityRow => {
      const items = entries.map(describe);
      const [first] = items as [ShownActivity];
      return { key, items, sentence: items.length > 1 ? describe.group(items) : first.sentence, isLive: !!entries[0]?.isLive, missed: i === newestMissed ? missed : undefined };
    });
  }, [all, absence, missed, describe]);
  const showNew = useCallback(() => dispatch({ do: 'show' }), []);
  const extend = useCallback(() => setPages((n) => n + 1), []);
  return { rows, newCount, showNew, extend };
}
