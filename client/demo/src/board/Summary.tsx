import { useCallback, useEffect, useState } from 'react';
import type { ReactElement } from 'react';
import { rule, useRealtimeInvalidation } from '@purposepath/realtime/query';
import { isOpen } from '../../domain/state.js';
import type { State } from '../../domain/state.js';
import type { Server } from '../server/server.js';

const count = (n: number, one: string, several: string): string => `${n} ${n === 1 ? one : several}`;

/** The report: how much is open, in the service's own figures. */
const reportOf = ({ goals, actions, issues }: State): string => {
  const open = new Set(goals.filter(isOpen).map(({ id }) => id));
  const todo = actions.filter(({ goalId, status }) => open.has(goalId) && status !== 'completed').length;
  const wrong = issues.filter(({ status }) => status === 'open' || status === 'in_progress').length;
  return `${count(todo, 'open action', 'open actions')}, ${count(wrong, 'issue', 'issues')}`;
};

/** A report that the service makes: it is not kept up event by event, but asked for again when events have made it old. */
export function Summary({ server }: { readonly server: Server }): ReactElement | null {
  const [report, setReport] = useState<string>();
  // Where it can't be had, the one there was is still the best there is; what comes next asks again.
  const load = useCallback((): Promise<void> => server.snapshot().then(({ state }) => setReport(reportOf(state)), () => {}), [server]);
  useEffect(() => void load(), [load]);
  useRealtimeInvalidation({ rules: [rule(['goal.*', 'action.*', 'issue.*'], () => ['report'])], invalidate: load });
  return report === undefined ? null : <span className="section-note">{report}</span>;
}
