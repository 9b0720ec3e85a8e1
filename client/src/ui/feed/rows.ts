import { actorOf, entityOf } from '../../generated/events.js';
import type { Entry } from './state.js';

/** Entries that stand together: one, or several alike. */
export interface EntryRow {
  /** The same as long as its oldest entry is there. */
  readonly key: string;
  /** Newest first. */
  readonly entries: readonly Entry[];
}

/** From so many alike on they are one row. */
const MANY = 4;
const WITHIN = 120_000;

/** What entries that are alike have in common; undefined = always on its own. */
const kindOf = ({ item, event }: Entry): string | undefined => {
  // What people wrote is to be read.
  if (item || !event || event.type === 'goal.activity.created') return undefined;
  return JSON.stringify([event.type, actorOf(event), event.type === 'action.progress_updated' ? entityOf(event) : '']);
};

/**
 * The rows of a feed, newest first: where one person did the same at least four times within two minutes, it is one row.
 *
 * Runs begin at the oldest entry, so that what is added at the top changes the topmost row at most.
 */
export const rowsOf = (entries: readonly Entry[]): readonly EntryRow[] => {
  const rows: EntryRow[] = [];
  for (let end = entries.length; end > 0; ) {
    const oldest = entries[end - 1] as Entry;
    const kind = kindOf(oldest);
    let start = end - 1;
    for (let next; kind !== undefined && (next = entries[start - 1]) && kindOf(next) === kind && next.time - oldest.time <= WITHIN; ) start--;
    const run = entries.slice(start, end);
    if (run.length >= MANY) rows.unshift({ key: oldest.id, entries: run });
    else rows.unshift(...run.map((entry) => ({ key: entry.id, entries: [entry] })));
    end = start;
  }
  return rows;
};
