import { READINGS } from './state.js';
import type { Action, DomainEvent, Goal, Issue, State } from './state.js';
import type { CatalogueType } from '../../src/index.js';

interface Entity {
  readonly id: string;
  readonly at: Readonly<Record<string, string>>;
}

/** Sets one field of one entity, unless what is there is newer. */
const set = <E extends Entity, F extends keyof E & string>(list: readonly E[], id: string, field: F, value: E[F], at: string): readonly E[] =>
  list.some((entity) => entity.id === id && at >= (entity.at[field] ?? '')) ? list.map((entity) => (entity.id === id ? { ...entity, [field]: value, at: { ...entity.at, [field]: at } } : entity)) : list;
const add = <E extends { readonly id: string }>(list: readonly E[], entity: E): readonly E[] => (list.some(({ id }) => id === entity.id) ? list : [...list, entity]);

const goal = <F extends keyof Goal>(state: State, id: string, field: F, value: Goal[F], at: string): State => ({ ...state, goals: set(state.goals, id, field, value, at) });
const action = <F extends keyof Action>(state: State, id: string, field: F, value: Action[F], at: string): State => ({ ...state, actions: set(state.actions, id, field, value, at) });
const issue = <F extends keyof Issue>(state: State, id: string, field: F, value: Issue[F], at: string): State => ({ ...state, issues: set(state.issues, id, field, value, at) });

const appliers: { readonly [T in CatalogueType]: (state: State, event: DomainEvent<T>) => State } = {
  'goal.created': (state, { data, timestamp }) => ({
    ...state,
    goals: add(state.goals, { id: data.goalId, title: data.title, ownerId: data.userId, status: data.status, reason: undefined, createdAt: timestamp, at: {} }),
  }),
  'goal.activated': (state, { data, timestamp }) => goal(state, data.goalId, 'status', 'active', timestamp),
  'goal.completed': (state, { data, timestamp }) => goal(state, data.goalId, 'status', 'completed', timestamp),
  'goal.cancelled': (state, { data, timestamp }) => goal(state, data.goalId, 'status', 'archived', timestamp),
  'goal.paused': (state, { data, timestamp }) => goal(goal(state, data.goalId, 'status', 'paused', timestamp), data.goalId, 'reason', data.reason, timestamp),
  'goal.resumed': (state, { data, timestamp }) => goal(state, data.goalId, 'status', 'active', timestamp),
  // What was written is for the feed.
  'goal.activity.created': (state) => state,
  'action.created': (state, { data, timestamp }) => ({
    ...state,
    actions: add(state.actions, {
      id: data.actionId,
      goalId: data.goalId,
      title: data.title,
      assigneeId: data.assignedTo,
      dueDate: data.dueDate,
      priority: data.priority,
      status: data.status,
      progress: 0,
      createdAt: timestamp,
      at: {},
    }),
  }),
  'action.status_changed': (state, { data, timestamp }) => action(state, data.actionId, 'status', data.newStatus, timestamp),
  'action.completed': (state, { data, timestamp }) => action(action(state, data.actionId, 'status', 'completed', timestamp), data.actionId, 'progress', 100, timestamp),
  'action.priority_changed': (state, { data, timestamp }) => action(state, data.actionId, 'priority', data.newPriority, timestamp),
  'action.reassigned': (state, { data, timestamp }) => action(state, data.actionId, 'assigneeId', data.newAssignee, timestamp),
  'action.progress_updated': (state, { data, timestamp }) => action(state, data.actionId, 'progress', data.newProgress, timestamp),
  'issue.created': (state, { data, timestamp }) => ({
    ...state,
    issues: add(state.issues, { id: data.issueId, goalId: data.goalId, title: data.title, severity: data.severity, status: data.status, reporterId: data.createdBy, createdAt: timestamp, at: {} }),
  }),
  'issue.status_changed': (state, { data, timestamp }) => issue(state, data.issueId, 'status', data.newStatus, timestamp),
  'measure.reading_created': (state, { data, timestamp }) => ({
    ...state,
    measures: state.measures.map((measure) =>
      measure.id === data.measureId
        ? { ...measure, readings: [...add(measure.readings, { id: data.readingId, value: data.value, at: timestamp })].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : a.id < b.id ? -1 : 1)).slice(-READINGS) }
        : measure,
    ),
  }),
};

/**
 * The state after an event. The same events lead to the same state in any order that creates an entity before it changes it, also where some come twice; about an entity that is not there nothing changes.
 */
export function apply(state: State, event: DomainEvent): State {
  return (appliers[event.type] as (state: State, event: DomainEvent) => State)(state, event);
}
