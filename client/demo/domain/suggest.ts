/** What a team does all day: a command of each type that fits the state, for the simulation and the drawer. */
import type { CatalogueType } from '../../src/index.js';
import type { Command } from './commands.js';
import type { Person } from './people.js';
import { isOpen } from './state.js';
import type { State } from './state.js';

/** From 0 to below 1. */
export type Random = () => number;

const pick = <T>(list: readonly T[], random: Random): T | undefined => list[Math.floor(random() * list.length)];

const notes = [
  ['Pricing page is live', 'Conversion looks up 4 %.', 'comment'],
  ['Call with the pilot customers', 'Two of three want to extend; notes are in the shared folder.', 'note'],
  ['We focus on accounts over 50 seats', 'Smaller accounts follow in autumn.', 'decision'],
  ['Numbers are in', 'Better than forecast for the second week in a row.', 'comment'],
  ['Review of the first half', 'On track, with one risk: the integration partner is late.', 'review'],
  ['Draft is ready for comments', 'Please look at section 3 until Thursday.', 'attachment'],
] as const;
const reasons = ['Waiting for legal.', 'Budget is decided next month.', 'The team moves to the launch first.'];
const newGoals = ['Halve the time to first value', 'Win three reference customers', 'Answer support requests within a day', 'Publish the security handbook'];
const newActions = ['Interview five customers', 'Write the launch announcement', 'Compare the two suppliers', 'Set up the weekly report', 'Agree on the rollout plan', 'Prepare the board slides'];
const newIssues = ['Export misses the last column', 'Numbers differ between report and dashboard', 'Invitation mail goes to spam', 'Sign-in fails behind the proxy', 'Currency is wrong for Swiss customers'];
const severities = ['low', 'medium', 'medium', 'high', 'critical'] as const;

/**
 * A command of the type that fits the state; undefined where nothing does, such as an issue to close.
 *
 * What was created after `settled` is left alone: an event about it could overtake the one that creates it.
 */
export function suggest(type: CatalogueType, state: State, people: readonly Person[], random: Random, id: () => string, settled: string): Command | undefined {
  const old = ({ createdAt }: { readonly createdAt: string }): boolean => createdAt <= settled;
  const open = state.goals.filter((goal) => isOpen(goal) && old(goal));
  const active = open.filter(({ status }) => status === 'active');
  const at = <T>(list: readonly T[]): T => pick(list, random) as T;
  const goal = pick(active.length ? active : open, random);
  const actions = state.actions.filter((action) => old(action) && open.some(({ id: goalId }) => goalId === action.goalId));
  const action = pick(
    actions.filter(({ status }) => status !== 'completed'),
    random,
  );
  switch (type) {
    case 'goal.created':
      return { type, input: { goalId: id(), title: at(newGoals) } };
    case 'goal.activated': {
      const draft = pick(open.filter(({ status }) => status === 'draft'), random);
      return draft && { type, input: { goalId: draft.id } };
    }
    case 'goal.completed': {
      // The one that is nearest to it.
      const done = active.filter(({ id: goalId }) => actions.some((one) => one.goalId === goalId));
      const first = pick(done, random);
      return first && { type, input: { goalId: first.id, finalNotes: 'Reached, with a week to spare.' } };
    }
    case 'goal.cancelled':
      return open.length > 3 && goal ? { type, input: { goalId: goal.id, reason: 'Merged into another goal.' } } : undefined;
    case 'goal.paused':
      return goal && { type, input: { goalId: goal.id, reason: at(reasons) } };
    case 'goal.resumed': {
      const paused = pick(open.filter(({ status }) => status === 'paused'), random);
      return paused && { type, input: { goalId: paused.id } };
    }
    case 'goal.activity.created': {
      const [title, content, kind] = at(notes);
      return goal && { type, input: { activityId: id(), goalId: goal.id, type: kind, title, content } };
    }
    case 'action.created':
      return goal && { type, input: { actionId: id(), goalId: goal.id, title: at(newActions), assignedTo: at(people).id, dueDate: '2027-03-31', priority: at(['low', 'medium', 'high']) } };
    case 'action.status_changed':
      return action && { type, input: { actionId: action.id, newStatus: action.status === 'in_progress' ? at(['blocked', 'todo']) : 'in_progress' } };
    case 'action.completed':
      return action && { type, input: { actionId: action.id } };
    case 'action.priority_changed':
      return action && { type, input: { actionId: action.id, newPriority: at((['low', 'medium', 'high', 'critical'] as const).filter((priority) => priority !== action.priority)) } };
    case 'action.reassigned': {
      const assignee = pick(people.filter(({ id: person }) => person !== action?.assigneeId), random);
      return action && assignee && { type, input: { actionId: action.id, newAssignee: assignee.id } };
    }
    case 'action.progress_updated': {
      const moving = pick(actions.filter(({ progress, status }) => status !== 'completed' && progress < 95), random);
      return moving && { type, input: { actionId: moving.id, newProgress: Math.min(95, moving.progress + 5 * (1 + Math.floor(random() * 4))) } };
    }
    case 'issue.created':
      return goal && { type, input: { issueId: id(), goalId: goal.id, title: at(newIssues), description: 'Seen twice this week.', severity: at(severities) } };
    case 'issue.status_changed': {
      const issue = pick(state.issues.filter((one) => old(one) && one.status !== 'closed'), random);
      return issue && { type, input: { issueId: issue.id, newStatus: issue.status === 'open' ? 'in_progress' : issue.status === 'in_progress' ? 'resolved' : 'closed' } };
    }
    case 'measure.reading_created': {
      const measure = pick(state.measures, random);
      if (!measure) return undefined;
      const last = measure.readings[measure.readings.length - 1]?.value ?? measure.baseline;
      const step = (measure.target - measure.baseline) / 20;
      return { type, input: { readingId: id(), measureId: measure.id, value: Math.round((last + step * (random() * 2 - 0.6)) * 10) / 10 } };
    }
  }
}

/** How often each type comes when a team is at work, beside the others. */
const habits: { readonly [T in CatalogueType]?: number } = {
  'action.progress_updated': 10,
  'goal.activity.created': 5,
  'measure.reading_created': 4,
  'action.status_changed': 3,
  'action.created': 1,
  'action.completed': 1,
  'action.reassigned': 1,
  'action.priority_changed': 1,
  'issue.created': 1,
  'issue.status_changed': 2,
};
const week = Object.entries(habits).flatMap(([type, times]) => Array.from({ length: times }, () => type as CatalogueType));

/** A type, as often as a team does it. Goals come and go by hand only: a board that simulates for an hour still has its goals. */
export const habit = (random: Random): CatalogueType => week[Math.floor(random() * week.length)] as CatalogueType;
