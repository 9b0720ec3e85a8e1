import type { CatalogueType, RealtimeEventMap } from '../../src/index.js';
import { progressOfMeasure } from './state.js';
import type { Action, DomainEvent, Goal, Issue, Measure, State } from './state.js';

/** What a user decides of each change; the service adds the rest. */
interface Inputs {
  'goal.created': { readonly goalId: string; readonly title: string };
  'goal.activated': { readonly goalId: string };
  'goal.completed': { readonly goalId: string; readonly finalNotes?: string };
  'goal.cancelled': { readonly goalId: string; readonly reason?: string };
  'goal.paused': { readonly goalId: string; readonly reason?: string };
  'goal.resumed': { readonly goalId: string };
  'goal.activity.created': Pick<RealtimeEventMap['goal.activity.created'], 'activityId' | 'goalId' | 'type' | 'title' | 'content' | 'tags'>;
  'action.created': Pick<RealtimeEventMap['action.created'], 'actionId' | 'goalId' | 'title' | 'assignedTo' | 'dueDate' | 'priority'>;
  'action.status_changed': Pick<RealtimeEventMap['action.status_changed'], 'actionId' | 'newStatus'>;
  'action.completed': { readonly actionId: string };
  'action.priority_changed': Pick<RealtimeEventMap['action.priority_changed'], 'actionId' | 'newPriority'>;
  'action.reassigned': Pick<RealtimeEventMap['action.reassigned'], 'actionId' | 'newAssignee'>;
  'action.progress_updated': Pick<RealtimeEventMap['action.progress_updated'], 'actionId' | 'newProgress'>;
  'issue.created': Pick<RealtimeEventMap['issue.created'], 'issueId' | 'title' | 'description' | 'severity'> & { readonly goalId: string };
  'issue.status_changed': Pick<RealtimeEventMap['issue.status_changed'], 'issueId' | 'newStatus'>;
  'measure.reading_created': Pick<RealtimeEventMap['measure.reading_created'], 'readingId' | 'measureId' | 'value' | 'note'>;
}

/** A change that somebody asks for. */
export type Command<T extends CatalogueType = CatalogueType> = T extends CatalogueType ? { readonly type: T; readonly input: Readonly<Inputs[T]> } : never;

/** Who asks, when, and the events' ids. */
export interface CommandContext {
  readonly tenantId: string;
  readonly user: { readonly id: string; readonly name: string };
  /** RFC 3339 with three decimals. */
  readonly at: string;
  readonly eventId: string;
  readonly correlationId?: string | undefined;
}

/** What the service refuses, in a sentence for its user. */
export class Refused extends Error {}

const find = <E extends { readonly id: string }>(list: readonly E[], id: string): E => {
  const found = list.find((entity) => entity.id === id);
  if (!found) throw new Refused('It is not there any more.');
  return found;
};
const goalOf = (state: State, id: string): Goal => find(state.goals, id);
const actionOf = (state: State, id: string): Action => find(state.actions, id);
const issueOf = (state: State, id: string): Issue => find(state.issues, id);
const measureOf = (state: State, id: string): Measure => find(state.measures, id);

/** The names that make a sentence of a change. */
const named = (state: State, entity: { readonly title: string; readonly goalId?: string | undefined }): { readonly title: string; readonly goalId?: string; readonly goalTitle?: string } => {
  const goal = state.goals.find(({ id }) => id === entity.goalId);
  return { title: entity.title, ...(goal && { goalId: goal.id, goalTitle: goal.title }) };
};

type Payload<T extends CatalogueType> = Omit<RealtimeEventMap[T], 'tenantId' | 'actorName'>;
type Who = { readonly at: string; readonly by: string };

const payloads: { readonly [T in CatalogueType]: (state: State, input: Readonly<Inputs[T]>, who: Who) => Payload<T> } = {
  'goal.created': (_, { goalId, title }, { at, by }) => ({ goalId, userId: by, title, description: '', status: 'draft', createdAt: at, createdBy: by }),
  'goal.activated': (state, { goalId }, { at, by }) => ({ goalId, previousStatus: goalOf(state, goalId).status, newStatus: 'active', activatedAt: at, activatedBy: by, title: goalOf(state, goalId).title }),
  'goal.completed': (state, input, { at, by }) => ({ ...input, completedAt: at, completedBy: by, title: goalOf(state, input.goalId).title }),
  'goal.cancelled': (state, input, { at, by }) => ({ ...input, cancelledAt: at, cancelledBy: by, title: goalOf(state, input.goalId).title }),
  'goal.paused': (state, input, { at, by }) => ({ ...input, pausedAt: at, pausedBy: by, title: goalOf(state, input.goalId).title }),
  'goal.resumed': (state, { goalId }, { at, by }) => ({ goalId, resumedAt: at, resumedBy: by, title: goalOf(state, goalId).title }),
  'goal.activity.created': (state, input, { at, by }) => ({ ...input, createdAt: at, createdBy: by, goalTitle: goalOf(state, input.goalId).title }),
  'action.created': (state, input, { at, by }) => ({ ...input, description: '', status: 'todo', createdAt: at, createdBy: by, goalTitle: goalOf(state, input.goalId).title }),
  'action.status_changed': (state, { actionId, newStatus }, { at, by }) => {
    const action = actionOf(state, actionId);
    return { actionId, previousStatus: action.status, newStatus, changedAt: at, changedBy: by, ...named(state, action) };
  },
  'action.completed': (state, { actionId }, { at, by }) => {
    const action = actionOf(state, actionId);
    return { actionId, completedAt: at, completedBy: by, onTime: at.slice(0, 10) <= action.dueDate, ...named(state, action) };
  },
  'action.priority_changed': (state, { actionId, newPriority }, { at, by }) => {
    const action = actionOf(state, actionId);
    return { actionId, previousPriority: action.priority, newPriority, changedAt: at, changedBy: by, ...named(state, action) };
  },
  'action.reassigned': (state, { actionId, newAssignee }, { at, by }) => {
    const action = actionOf(state, actionId);
    return { actionId, previousAssignee: action.assigneeId, newAssignee, assignedAt: at, assignedBy: by, ...named(state, action) };
  },
  'action.progress_updated': (state, { actionId, newProgress }, { at, by }) => {
    const action = actionOf(state, actionId);
    return { actionId, previousProgress: action.progress, newProgress, updatedAt: at, updatedBy: by, ...named(state, action) };
  },
  'issue.created': (state, input, { at, by }) => ({ ...input, status: 'open', priority: 'medium', category: 'bug', createdAt: at, createdBy: by, goalTitle: goalOf(state, input.goalId).title }),
  'issue.status_changed': (state, { issueId, newStatus }, { at, by }) => {
    const issue = issueOf(state, issueId);
    return { issueId, previousStatus: issue.status, newStatus, changedAt: at, changedBy: by, ...named(state, issue) };
  },
  'measure.reading_created': (state, input, { at, by }) => {
    const measure = measureOf(state, input.measureId);
    return { ...input, date: at.slice(0, 10), recordedAt: at, recordedBy: by, progress: progressOfMeasure(measure, input.value), ...named(state, measure) };
  },
};

/** The event that a command leads to. Throws {@link Refused} where it can't be. */
export function eventOf(state: State, command: Command, { tenantId, user, at, eventId, correlationId }: CommandContext): DomainEvent {
  const payload = (payloads[command.type] as (state: State, input: object, who: Who) => object)(state, command.input, { at, by: user.id });
  return { type: command.type, timestamp: at, eventId, tenantId, ...(correlationId !== undefined && { correlationId }), data: { ...payload, tenantId, actorName: user.name } } as unknown as DomainEvent;
}
