/** The board's state: what is confirmed, and on top of it what the user has asked for and no event has told of yet. */
import { apply } from '../../domain/apply.js';
import { eventOf } from '../../domain/commands.js';
import type { Command } from '../../domain/commands.js';
import type { Person } from '../../domain/people.js';
import type { Snapshot } from '../../domain/service.js';
import type { DomainEvent, State } from '../../domain/state.js';

/** A change that is shown before it is known to have happened. */
export interface Pending {
  readonly correlationId: string;
  /** As the service will say it, and once it is accepted, as it has said it. */
  readonly event: DomainEvent;
  /** sent: no answer yet. accepted: the service has done it, and its event is on the way. refused: it has not. */
  readonly phase: 'sent' | 'accepted' | 'refused';
  /** Why it was refused. */
  readonly problem?: string;
  /** The state that is being loaded includes it. */
  readonly covered?: boolean;
}

export interface Board {
  /** undefined before it is loaded for the first time. */
  readonly confirmed: State | undefined;
  readonly history: readonly DomainEvent[];
  readonly pending: readonly Pending[];
  /** Why it could not be loaded. */
  readonly problem: string | undefined;
  /** What was heard since loading began, which the state that comes may lack; undefined while nothing is being loaded. */
  readonly heard: readonly DomainEvent[] | undefined;
}

export type BoardChange =
  | { readonly is: 'loading' }
  | { readonly is: 'loaded'; readonly snapshot: Snapshot }
  | { readonly is: 'not-loaded'; readonly problem: string }
  | { readonly is: 'events'; readonly events: readonly DomainEvent[] }
  | { readonly is: 'asked'; readonly correlationId: string; readonly event: DomainEvent }
  | { readonly is: 'accepted'; readonly correlationId: string; readonly event: DomainEvent }
  /** No echo will come, of anything that was accepted. */
  | { readonly is: 'unheard' }
  | { readonly is: 'refused'; readonly correlationId: string; readonly problem: string }
  | { readonly is: 'undone'; readonly correlationId: string };

export const emptyBoard: Board = { confirmed: undefined, history: [], pending: [], problem: undefined, heard: undefined };

const without = (pending: readonly Pending[], ids: readonly (string | undefined)[]): readonly Pending[] => (pending.some(({ correlationId }) => ids.includes(correlationId)) ? pending.filter(({ correlationId }) => !ids.includes(correlationId)) : pending);
const turn = (board: Board, id: string, to: Partial<Pending>): Board => ({ ...board, pending: board.pending.map((one) => (one.correlationId === id ? { ...one, ...to } : one)) });

export function reduceBoard(board: Board, change: BoardChange): Board {
  switch (change.is) {
    case 'loading':
      return { ...board, problem: undefined, heard: [], pending: board.pending.map((one) => (one.phase === 'accepted' ? { ...one, covered: true } : one)) };
    case 'loaded': {
      const { state, history } = change.snapshot;
      const told = history.map(({ correlationId }) => correlationId);
      return { confirmed: (board.heard ?? []).reduce(apply, state), history, problem: undefined, heard: undefined, pending: without(board.pending.filter(({ covered }) => !covered), told) };
    }
    case 'not-loaded':
      return { ...board, problem: change.problem, heard: undefined };
    case 'events': {
      const heard = board.heard && [...board.heard, ...change.events];
      const pending = without(board.pending, change.events.map(({ correlationId }) => correlationId));
      return { ...board, confirmed: board.confirmed && change.events.reduce(apply, board.confirmed), heard, pending };
    }
    case 'asked':
      return { ...board, pending: [...board.pending, { correlationId: change.correlationId, event: change.event, phase: 'sent' }] };
    case 'accepted':
      return turn(board, change.correlationId, { phase: 'accepted', event: change.event });
    case 'unheard': {
      // Should an echo come after all, it changes nothing any more.
      const events = board.pending.filter(({ phase }) => phase === 'accepted').map(({ event }) => event);
      return events.length ? reduceBoard({ ...board, history: [...board.history, ...events] }, { is: 'events', events }) : board;
    }
    case 'refused':
      return turn(board, change.correlationId, { phase: 'refused', problem: change.problem });
    case 'undone':
      return { ...board, pending: without(board.pending, [change.correlationId]) };
  }
}

/** What is shown: the confirmed state, with the user's own changes on top. */
export const shownOf = ({ confirmed, pending }: Pick<Board, 'confirmed' | 'pending'>): State | undefined => confirmed && pending.reduce((state, { event }) => apply(state, event), confirmed);

/** The newest time of a field in a state; '' where nothing has changed. */
const newest = ({ goals, actions, issues }: State): string => [...goals, ...actions, ...issues].reduce((last, { at }) => Object.values(at).reduce((a, b) => (a > b ? a : b), last), '');

/** The event that a command will lead to, later than everything in the state: what the user does now wins on this page, whatever its clock says. Throws what the service would refuse. */
export function predict(state: State, command: Command, tenantId: string, user: Person, correlationId: string, now: number): DomainEvent {
  const last = newest(state);
  const at = new Date(Math.max(now, last ? Date.parse(last) + 1 : 0)).toISOString();
  return eventOf(state, command, { tenantId, user, at, eventId: correlationId, correlationId });
}

/** Of what one entity waits for: the refused one first, since it needs the user. */
export const pendingOf = (pending: readonly Pending[], id: string): Pending | undefined => {
  const mine = pending.filter(({ event }) => idsOf(event).includes(id));
  return mine.find(({ phase }) => phase === 'refused') ?? mine[0];
};

/** The entity that an event is about, and what belongs to it by name. */
const idsOf = ({ type, data }: DomainEvent): readonly (string | undefined)[] => {
  const ids = data as { readonly goalId?: string; readonly actionId?: string; readonly issueId?: string; readonly measureId?: string };
  return [type.startsWith('goal.') ? ids.goalId : type.startsWith('action.') ? ids.actionId : type.startsWith('issue.') ? ids.issueId : ids.measureId];
};
