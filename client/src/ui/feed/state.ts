import type { RealtimeEvent } from '../../generated/events.js';
import type { ActivityItem, ActivitySource } from './activity.js';
import { rowsOf } from './rows.js';
import type { EntryRow } from './rows.js';

/** What the application may hand in: entries of its own, and events as they are. */
export type InitialActivity = ActivityItem | RealtimeEvent;

/** One activity as the feed keeps it. */
export interface Entry extends ActivitySource {
  /** Came through the connection: stays when the application's list lacks it. */
  readonly heard: boolean;
  /** It happened while the feed was there. */
  readonly isLive?: boolean | undefined;
  /** Missed in which absence. */
  readonly absence?: number | undefined;
}

/** An event on its way into the feed. */
export interface Arrival {
  readonly event: RealtimeEvent;
  readonly missed: boolean;
  /** The reader did it. */
  readonly own: boolean;
}

/** Everything a feed knows. Lists are newest first. */
export interface FeedState {
  /** The most entries that are shown. */
  readonly limit: number;
  /** The application's list that was taken in last. */
  readonly source: readonly InitialActivity[];
  /** It belongs to a session that has ended. */
  readonly isSourceStale: boolean;
  readonly shown: readonly Entry[];
  /** What is shown, in rows. */
  readonly rows: readonly EntryRow[];
  /** Kept back while the reader is further down; at most `limit`. */
  readonly held: readonly Entry[];
  /** How many were kept back. */
  readonly newCount: number;
  /** Names the latest absence. */
  readonly absence: number;
  /** What arrives missed now belongs to it. */
  readonly isReturning: boolean;
  /** How many were missed in it. */
  readonly missed: number;
}

/** What can happen to a feed. `hold`: the reader is further down. */
export type FeedAction =
  | { readonly do: 'list'; readonly source: readonly InitialActivity[]; readonly limit: number; readonly hold: boolean }
  | { readonly do: 'recall'; readonly events: readonly RealtimeEvent[] }
  | { readonly do: 'arrive'; readonly arrivals: readonly Arrival[]; readonly hold: boolean }
  /** `source`: the list that goes with what is forgotten. */
  | { readonly do: 'forget'; readonly source: readonly InitialActivity[] }
  | { readonly do: 'leave' | 'show' | 'clear' };

/** Newest first, and the same whatever came first: by time, then by number, then by id. */
const compare = (a: Entry, b: Entry): number => b.time - a.time || ((b.event && b.event.sequence) || 0) - ((a.event && a.event.sequence) || 0) || (a.id < b.id ? 1 : -1);

const timeOf = (at: string): number => Date.parse(at) || 0;
const heard = (event: RealtimeEvent): Entry => ({ id: event.eventId, time: timeOf(event.timestamp), event, heard: true });
const listed = (from: InitialActivity): Entry =>
  'eventId' in from ? { ...heard(from), heard: false } : { id: from.id, time: timeOf(from.at), event: from.event, item: from, heard: false };

/** The names an entry goes by: an application knows a comment by its activityId, and not by the event's id. */
const idsOf = ({ id, event }: Entry): readonly string[] => {
  const { activityId } = (event ? event.data : {}) as { readonly activityId?: string };
  return [id, ...(event ? [event.eventId] : []), ...(activityId === undefined ? [] : [activityId])];
};
const indexOf = (entries: readonly Entry[]): Map<string, Entry> => {
  const index = new Map<string, Entry>();
  for (const entry of entries) for (const id of idsOf(entry)) index.set(id, entry);
  return index;
};
const find = (index: ReadonlyMap<string, Entry>, entry: Entry): Entry | undefined => {
  for (const id of idsOf(entry)) {
    const known = index.get(id);
    if (known) return known;
  }
  return undefined;
};
/** Those that `index` lacks, each once; they are in it afterwards. */
const unknownOf = (index: Map<string, Entry>, entries: readonly Entry[]): readonly Entry[] =>
  entries.filter((entry) => {
    if (find(index, entry)) return false;
    for (const id of idsOf(entry)) index.set(id, entry);
    return true;
  });

const merge = (a: readonly Entry[], b: readonly Entry[], limit: number): readonly Entry[] => a.concat(b).sort(compare).slice(0, limit);

/** Whether two entries or lists say the same: what is made anew with every render, as `data ?? []` is, is no news. */
export const isSame = (a: unknown, b: unknown): boolean => a === b || JSON.stringify(a) === JSON.stringify(b);

/** Takes the application's list: what it says of an entry counts, what it no longer has goes, and what came through the connection stays. */
const list = (s: FeedState, source: readonly InitialActivity[], limit: number, hold: boolean): FeedState => {
  const before = indexOf([...s.shown, ...s.held]);
  /** What is known already, as the list has it. */
  const updates = new Map<Entry, Entry>();
  const fresh: Entry[] = [];
  for (const entry of unknownOf(new Map(), source.map(listed))) {
    const old = find(before, entry);
    if (!old) fresh.push(entry);
    else updates.set(old, isSame(old.item, entry.item) ? old : { ...old, time: entry.time, item: entry.item });
  }
  const keep = (entries: readonly Entry[]): readonly Entry[] =>
    entries.filter((entry) => updates.has(entry) || entry.heard).map((entry) => updates.get(entry) || (entry.item ? { ...entry, ...heard(entry.event as RealtimeEvent), item: undefined } : entry));
  const shown = keep(s.shown);
  const held = keep(s.held);
  const [newest] = shown;
  const above = hold && newest ? fresh.filter((entry) => compare(entry, newest) < 0) : [];
  return {
    ...s,
    source,
    isSourceStale: false,
    limit,
    shown: merge(shown, fresh.filter((entry) => above.indexOf(entry) < 0), limit),
    held: merge(held, above, limit),
    newCount: s.newCount - (s.held.length - held.length) + above.length,
  };
};

/** Takes events: those that are new, and the feed in which the others are known to have come through the connection. */
const hear = (s: FeedState, events: readonly RealtimeEvent[]): { readonly next: FeedState; readonly fresh: readonly Entry[] } => {
  const index = indexOf([...s.shown, ...s.held]);
  const updates = new Map<Entry, Entry>();
  for (const event of events) {
    const old = find(index, heard(event));
    if (old && !old.heard) updates.set(old, { ...old, event, heard: true });
  }
  const fresh = unknownOf(index, events.map(heard));
  const update = (entries: readonly Entry[]): readonly Entry[] => entries.map((entry) => updates.get(entry) || entry);
  return { next: updates.size ? { ...s, shown: update(s.shown), held: update(s.held) } : s, fresh };
};

const show = (s: FeedState): FeedState => (s.newCount ? { ...s, shown: merge(s.shown, s.held, s.limit), held: [], newCount: 0 } : s);

const arrive = (s: FeedState, arrivals: readonly Arrival[], hold: boolean): FeedState => {
  const { next, fresh: heardNow } = hear(s, arrivals.map(({ event }) => event));
  if (!heardNow.length) return next;
  let { absence, isReturning, missed } = s;
  const arrivalOf = new Map(arrivals.map((arrival) => [arrival.event.eventId, arrival]));
  const fresh = heardNow.map((entry): Entry => {
    const wasMissed = !!arrivalOf.get(entry.id)?.missed;
    if (wasMissed && !isReturning) {
      absence++;
      missed = 0;
    }
    isReturning = wasMissed;
    if (!wasMissed) return { ...entry, isLive: true };
    missed++;
    return { ...entry, absence };
  });
  const after = { ...next, absence, isReturning, missed };
  // Whoever writes a comment looks for it.
  const held = hold ? fresh.filter(({ id }) => !arrivalOf.get(id)?.own) : [];
  const all = { ...after, shown: merge(after.shown, fresh.filter((entry) => held.indexOf(entry) < 0), s.limit), held: merge(after.held, held, s.limit), newCount: s.newCount + held.length };
  return hold ? all : show(all);
};

const reduce = (s: FeedState, action: FeedAction): FeedState => {
  switch (action.do) {
    case 'list': {
      const { source, limit, hold } = action;
      if (s.isSourceStale && source === s.source) return limit === s.limit ? s : { ...s, limit };
      return !s.isSourceStale && limit === s.limit && isSame(source, s.source) ? s : list(s, source, limit, hold);
    }
    case 'recall': {
      const { next, fresh } = hear(s, action.events);
      return fresh.length ? { ...next, shown: merge(next.shown, fresh, s.limit) } : next;
    }
    case 'arrive':
      return arrive(s, action.arrivals, action.hold);
    case 'leave':
      return s.isReturning ? { ...s, isReturning: false } : s;
    case 'show':
      return show(s);
    case 'clear':
      return emptyFeed(s.limit);
    case 'forget':
      // Also the list, until there is another: it is of the session that has ended.
      return { ...emptyFeed(s.limit), source: action.source, isSourceStale: true };
  }
};

/** The state after an action: the same object where nothing changed. */
export const reduceFeed = (s: FeedState, action: FeedAction): FeedState => {
  const next = reduce(s, action);
  return next.shown === s.shown ? next : { ...next, rows: rowsOf(next.shown, s.rows) };
};

/** A feed that knows nothing. */
export const emptyFeed = (limit: number): FeedState => ({ limit, source: [], isSourceStale: false, shown: [], rows: [], held: [], newCount: 0, absence: 0, isReturning: false, missed: 0 });
