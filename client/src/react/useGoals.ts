import { goalIdOf } from '../generated/events.js';
import type { RealtimeEvent, RealtimeEventMap, RealtimeEventType } from '../generated/events.js';
import type { EventMeta } from '../core/options.js';
import { useFiltered } from './useRealtimeEvent.js';

type GoalType = Extract<RealtimeEventType, `goal.${string}`>;
type DataOf<T extends RealtimeEventType> = Readonly<RealtimeEventMap[T]>;

/** Takes the events of one type. */
export type DataHandler<T extends RealtimeEventType> = (data: DataOf<T>, event: RealtimeEvent<T>, meta: EventMeta) => void;

/** Options of {@link useGoalActivity}. */
export interface UseGoalActivityOptions {
  /** undefined = nothing, such as while it is being loaded. */
  goalId: string | undefined;
  /**
   * false = neither delivered nor kept for later.
   *
   * @defaultValue true
   */
  enabled?: boolean | undefined;
  onActivated?: DataHandler<'goal.activated'> | undefined;
  onCompleted?: DataHandler<'goal.completed'> | undefined;
  onCancelled?: DataHandler<'goal.cancelled'> | undefined;
  onPaused?: DataHandler<'goal.paused'> | undefined;
  onResumed?: DataHandler<'goal.resumed'> | undefined;
  onActivityCreated?: DataHandler<'goal.activity.created'> | undefined;
  /** Any event of this goal, those of its actions, issues and measures included where the producer names the goal. */
  onAny?: ((event: RealtimeEvent, meta: EventMeta) => void) | undefined;
}

/** The arguments of `onAnyGoalEvent`: checking the first narrows the second. */
export type AnyGoalArgs = { [T in GoalType]: [eventType: T, data: DataOf<T>] }[GoalType];

/** Options of {@link useRealtimeGoals}. */
export interface UseRealtimeGoalsOptions {
  /**
   * false = neither delivered nor kept for later.
   *
   * @defaultValue true
   */
  enabled?: boolean | undefined;
  onGoalCreated?: DataHandler<'goal.created'> | undefined;
  onGoalActivated?: DataHandler<'goal.activated'> | undefined;
  onGoalCompleted?: DataHandler<'goal.completed'> | undefined;
  onGoalCancelled?: DataHandler<'goal.cancelled'> | undefined;
  onGoalPaused?: DataHandler<'goal.paused'> | undefined;
  onGoalResumed?: DataHandler<'goal.resumed'> | undefined;
  onGoalActivityCreated?: DataHandler<'goal.activity.created'> | undefined;
  onAnyGoalEvent?: ((...args: AnyGoalArgs) => void) | undefined;
}

/** `goal.activity.created` → `ActivityCreated` */
const nameOf = (type: string): string => type.slice(5).replace(/(^|\.)(.)/g, (_, __, first: string) => first.toUpperCase());
const call = (handlers: object, name: string, event: RealtimeEvent, meta: EventMeta): void => {
  const handler = (handlers as Record<string, ((data: unknown, event: RealtimeEvent, meta: EventMeta) => void) | undefined>)[name];
  if (handler) handler(event.data, event, meta);
};

/**
 * The events of one goal, each to the callback of its type.
 *
 * @example
 * ```tsx
 * useGoalActivity({ goalId, onCompleted: (data) => confetti(data.completedBy), onAny: () => refetch() });
 * ```
 */
export function useGoalActivity(options: UseGoalActivityOptions): void {
  const { goalId, enabled = true } = options;
  useFiltered({ eventType: '*', enabled: enabled && goalId !== undefined }, (event, meta) => {
    if (goalIdOf(event) !== goalId) return;
    if (event.type.indexOf('goal.') === 0) call(options, 'on' + nameOf(event.type), event, meta);
    if (options.onAny) options.onAny(event, meta);
  });
}

/**
 * The events of all goals, each to the callback of its type.
 *
 * @example
 * ```tsx
 * useRealtimeGoals({ onGoalCreated: (goal) => setGoals((all) => [...all, goal]) });
 * ```
 */
export function useRealtimeGoals(options: UseRealtimeGoalsOptions): void {
  const { enabled = true } = options;
  useFiltered({ eventType: 'goal.*', enabled }, (event, meta) => {
    call(options, 'onGoal' + nameOf(event.type), event, meta);
    if (options.onAnyGoalEvent) options.onAnyGoalEvent(...([event.type, event.data] as unknown as AnyGoalArgs));
  });
}
