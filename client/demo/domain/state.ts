/** What the domain service knows of one tenant, and what the board shows of it. Plain data: it travels as JSON, and every change is a new object. */
import type { ActionPriority, ActionStatus, CatalogueType, GoalStatus, IssueSeverity, IssueStatus, RealtimeEvent } from '../../src/index.js';

/** An event of the catalogue, with or without the server's number. */
export type DomainEvent<T extends CatalogueType = CatalogueType> = T extends CatalogueType ? Omit<RealtimeEvent<T>, 'sequence'> : never;

/**
 * When each field was last set. EventBridge promises no order, so two events about one field may arrive the other way round: the time decides.
 */
interface Timed {
  readonly id: string;
  readonly createdAt: string;
  readonly at: Readonly<Record<string, string>>;
}

export interface Goal extends Timed {
  readonly title: string;
  readonly ownerId: string;
  readonly status: GoalStatus;
  /** Why it is paused. */
  readonly reason: string | undefined;
}

export interface Action extends Timed {
  readonly goalId: string;
  readonly title: string;
  readonly assigneeId: string;
  readonly dueDate: string;
  readonly priority: ActionPriority;
  readonly status: ActionStatus;
  readonly progress: number;
}

export interface Issue extends Timed {
  readonly goalId: string | undefined;
  readonly title: string;
  readonly severity: IssueSeverity;
  readonly status: IssueStatus;
  readonly reporterId: string;
}

/** One value of a measure, for one day. */
export interface Reading {
  readonly id: string;
  readonly value: number;
  readonly at: string;
}

export interface Measure {
  readonly id: string;
  readonly goalId: string;
  readonly title: string;
  readonly unit: string;
  readonly baseline: number;
  readonly target: number;
  /** The latest, oldest first. */
  readonly readings: readonly Reading[];
}

export interface State {
  readonly goals: readonly Goal[];
  readonly actions: readonly Action[];
  readonly issues: readonly Issue[];
  readonly measures: readonly Measure[];
}

/** Readings kept of a measure. */
export const READINGS = 12;

/** Goals that somebody works on, or will. */
export const isOpen = ({ status }: Goal): boolean => status === 'draft' || status === 'active' || status === 'paused';

/** Percent of a goal: the mean of its actions, and all of it once it is completed. */
export const progressOf = (state: State, goal: Goal): number => {
  if (goal.status === 'completed') return 100;
  const actions = state.actions.filter(({ goalId }) => goalId === goal.id);
  return actions.length ? Math.round(actions.reduce((sum, { progress }) => sum + progress, 0) / actions.length) : 0;
};

/** Percent of the way from a measure's baseline to its target. */
export const progressOfMeasure = ({ baseline, target }: Measure, value: number): number => Math.max(0, Math.min(100, Math.round(((value - baseline) / (target - baseline)) * 100)));
