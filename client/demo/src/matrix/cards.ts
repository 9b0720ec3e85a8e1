/** The states of a card and of a row, as the board's own reducer leads to them. */
import { personOf } from '../../domain/people.js';
import type { Command } from '../../domain/commands.js';
import { seedOf } from '../../domain/seed.js';
import type { Person } from '../../domain/people.js';
import type { State } from '../../domain/state.js';
import { emptyBoard, predict, reduceBoard, shownOf } from '../board/optimistic.js';
import type { Pending } from '../board/optimistic.js';
import { NOW } from './freeze.js';

/** A board in which a command waits, or was refused. */
export interface CardState {
  readonly name: string;
  readonly state: State;
  readonly pending: Pending | undefined;
}

const ana = personOf('user-ana') as Person;
const loaded = reduceBoard(emptyBoard, { is: 'loaded', snapshot: seedOf('demo', NOW) });
export const seeded = loaded.confirmed as State;

export const at = (name: string, command?: Command, problem?: string): CardState => {
  if (!command) return { name, state: seeded, pending: undefined };
  const asked = reduceBoard(loaded, { is: 'asked', correlationId: 'c', event: predict(seeded, command, 'demo', ana, 'c', NOW) });
  const board = problem === undefined ? asked : reduceBoard(asked, { is: 'refused', correlationId: 'c', problem });
  return { name, state: shownOf(board) as State, pending: board.pending[0] };
};
