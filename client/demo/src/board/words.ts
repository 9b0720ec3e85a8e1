/** What the board calls things. */
import type { ActionPriority, ActionStatus, GoalStatus, IssueSeverity, IssueStatus } from '@purposepath/realtime';

export const goalStatuses: { readonly [S in GoalStatus]: string } = { draft: 'Draft', active: 'Active', paused: 'Paused', completed: 'Completed', archived: 'Cancelled' };
export const actionStatuses: { readonly [S in ActionStatus]: string } = { todo: 'To do', in_progress: 'In progress', blocked: 'Blocked', paused: 'Paused', completed: 'Done' };
export const priorities: { readonly [P in ActionPriority]: string } = { low: 'Low', medium: 'Medium', high: 'High', critical: 'Critical' };
export const severities: { readonly [S in IssueSeverity]: string } = { low: 'Low', medium: 'Medium', high: 'High', critical: 'Critical' };
export const issueStatuses: { readonly [S in IssueStatus]: string } = { open: 'Open', in_progress: 'In progress', resolved: 'Resolved', closed: 'Closed' };

const day = new Intl.DateTimeFormat('en', { day: 'numeric', month: 'short', timeZone: 'UTC' });
/** A date of the calendar, such as "3 Dec". */
export const dayOf = (date: string): string => {
  const parts = day.formatToParts(new Date(`${date}T00:00:00Z`));
  return `${parts.find(({ type }) => type === 'day')?.value ?? ''} ${parts.find(({ type }) => type === 'month')?.value ?? ''}`;
};

const number = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
export const amountOf = (value: number, unit: string): string => number.format(value) + (unit && `\u00a0${unit}`);
