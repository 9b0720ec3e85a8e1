import { actorOf, entityOf } from '../../generated/events.js';
import type { Entry } from './state.js';

/** Entries that stand together: one, or several alike. */
export interface EntryRow {
  /** The same as long as its oldest entry is there, and while a run loses its oldest to the bound. */
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
 * Runs begin at the oldest entry, so that what is added at the top changes the topmost row at most. A run that has lost its oldest entries goes on under the key that it has in `before`.
 */
export const rowsOf = (entries: readonly Entry[], before: readonly EntryRow[] = []): readonly EntryRow[] => {
  const rows: EntryRow[] = [];
  const keyOf = (run: readonly Entry[], { id }: Entry): string => {
    const was = before.find(({ entries: old }) => old.length > 1 && old.some((entry) => entry.id === id));
    // Not where a run has been parted in two, nor where the entry of that name is in another row.
    return was && !rows.some(({ key }) => key === was.key) && entries.every((entry) => entry.id !== was.key || run.indexOf(entry) >= 0) ? was.key : id;
  };
  for (let end = entries.length; end > 0; ) {
    const oldest = entries[end - 1] as Entry;
    const kind = kindOf(oldest);
    let start = end - 1;
    for (let next; kind !== undefined && (next = entries[start - 1]) && kindOf(next) === kind && next.time - oldest.time <= WITHIN; ) start--;
    const run = entries.slice(start, end);
    if (run.length >= MANY) rows.unshift({ key: keyOf(run, oldest), entries: run });
    else rows.unshift(...run.map((entry) => ({ key: entry.id, entries: [entry] })));
    end = start;
  }
  return rows;
};
