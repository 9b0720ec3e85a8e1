import { describe, expect, test } from 'vitest';
import { tenants } from '../../demo/domain/people.js';
import { eventOf } from '../../demo/domain/commands.js';
import { seedOf } from '../../demo/domain/seed.js';
import type { DomainEvent } from '../../demo/domain/state.js';
import { emptyBoard, pendingOf, predict, reduceBoard, shownOf } from '../../demo/src/board/optimistic.js';
import type { Board, BoardChange } from '../../demo/src/board/optimistic.js';

const NOW = Date.UTC(2026, 0, 5, 9);
const [{ id: tenantId, people }] = tenants;
const [ana, mo] = people;
const snapshot = seedOf(tenantId, NOW);
const loaded = reduceBoard(emptyBoard, { is: 'loaded', snapshot });

const pause = { type: 'goal.paused', input: { goalId: 'goal-1' } } as const;
const asked = predict(snapshot.state, pause, tenantId, ana, 'mine', NOW);
const echo: DomainEvent = { ...asked, eventId: 'of-the-service', timestamp: new Date(NOW + 50).toISOString() };
const after = (...changes: readonly BoardChange[]): Board => changes.reduce(reduceBoard, loaded);
const shown = (board: Board) => shownOf(board)?.goals.find(({ id }) => id === 'goal-1')?.status;
const confirmed = ({ confirmed: state }: Board) => state?.goals.find(({ id }) => id === 'goal-1')?.status;
const ask: BoardChange = { is: 'asked', correlationId: 'mine', event: asked };
const accept: BoardChange = { is: 'accepted', correlationId: 'mine', event: echo };

describe('a change of one’s own', () => {
  test('is shown at once, and confirmed by its echo', () => {
    const waiting = after(ask);
    expect([shown(waiting), confirmed(waiting), waiting.pending.length]).toEqual(['paused', 'active', 1]);
    const done = reduceBoard(waiting, { is: 'events', events: [echo] });
    expect([shown(done), confirmed(done), done.pending.length]).toEqual(['paused', 'paused', 0]);
  });

  test('waits on for its echo when the service has answered', () => {
    const board = after(ask, accept);
    expect([shown(board), confirmed(board)]).toEqual(['paused', 'active']);
  });

  test('is confirmed by the answer where no echo will come', () => {
    const board = after(ask, accept, { is: 'unheard' });
    expect([confirmed(board), board.pending, board.history.at(-1)]).toEqual(['paused', [], echo]);
    expect(reduceBoard(board, { is: 'events', events: [echo] })).toEqual(board);
  });

  test('waits for the service, and stays refused, where no echo will come', () => {
    const sent = after(ask);
    const refused = after(ask, { is: 'refused', correlationId: 'mine', problem: 'No.' });
    expect([sent, refused].map((board) => reduceBoard(board, { is: 'unheard' }))).toEqual([sent, refused]);
  });

  test('whose echo comes before the answer is not waited for again', () => {
    const board = after(ask, { is: 'events', events: [echo] }, accept);
    expect(board.pending).toEqual([]);
  });

  test('that is refused stays in sight with the reason, until it is undone', () => {
    const board = after(ask, { is: 'refused', correlationId: 'mine', problem: 'No.' });
    expect(shown(board)).toBe('paused');
    expect(pendingOf(board.pending, 'goal-1')).toMatchObject({ phase: 'refused', problem: 'No.' });
    expect(shown(reduceBoard(board, { is: 'undone', correlationId: 'mine' }))).toBe('active');
  });

  test('lies above what others do meanwhile, and gives way when it is undone', () => {
    const other = eventOf(snapshot.state, { type: 'goal.completed', input: { goalId: 'goal-1' } }, { tenantId, user: mo, at: new Date(NOW - 10).toISOString(), eventId: 'other' });
    const board = after(ask, { is: 'events', events: [other] });
    expect([shown(board), confirmed(board)]).toEqual(['paused', 'completed']);
    expect(shown(reduceBoard(board, { is: 'undone', correlationId: 'mine' }))).toBe('completed');
  });

  test('wins over what is there, also when this machine’s clock is slow', () => {
    const ahead = eventOf(snapshot.state, { type: 'goal.completed', input: { goalId: 'goal-1' } }, { tenantId, user: mo, at: new Date(NOW + 60_000).toISOString(), eventId: 'ahead' });
    const board = after({ is: 'events', events: [ahead] });
    const event = predict(board.confirmed ?? snapshot.state, { type: 'goal.resumed', input: { goalId: 'goal-1' } }, tenantId, ana, 'late', NOW);
    expect(shown(reduceBoard(board, { is: 'asked', correlationId: 'late', event }))).toBe('active');
  });

  test('marks what it is about, and not what belongs to it', () => {
    const event = predict(snapshot.state, { type: 'action.completed', input: { actionId: 'action-1-1' } }, tenantId, ana, 'a', NOW);
    const { pending } = after({ is: 'asked', correlationId: 'a', event });
    expect(pendingOf(pending, 'action-1-1')).toBeDefined();
    expect(pendingOf(pending, 'goal-1')).toBeUndefined();
  });
});

describe('loading the state', () => {
  const load = { is: 'loaded', snapshot: { ...snapshot, history: [] } } as const;

  test('ends the wait for what the service had accepted before', () => {
    expect(after(ask, accept, { is: 'loading' }, load).pending).toEqual([]);
  });

  test('goes on waiting for what was accepted while it was loaded: its echo comes after it', () => {
    expect(after(ask, { is: 'loading' }, accept, load).pending).toHaveLength(1);
  });

  test('ends the wait for what its history tells of', () => {
    expect(after(ask, { is: 'loading' }, { ...load, snapshot: { ...snapshot, history: [echo] } }).pending).toEqual([]);
  });

  test('leaves what was refused to the user', () => {
    expect(after(ask, { is: 'refused', correlationId: 'mine', problem: 'No.' }, { is: 'loading' }, load).pending).toHaveLength(1);
  });

  test.each([
    ['for the first time', emptyBoard],
    ['again', loaded],
  ])('%s keeps what was heard meanwhile', (_, before) => {
    const changes: readonly BoardChange[] = [{ is: 'loading' }, { is: 'events', events: [echo] }, load];
    const board = changes.reduce(reduceBoard, before);
    expect([confirmed(board), board.heard]).toEqual(['paused', undefined]);
  });

  test('that fails leaves what is there', () => {
    const board = after({ is: 'not-loaded', problem: 'There is no network.' });
    expect([board.problem, board.confirmed]).toEqual(['There is no network.', loaded.confirmed]);
    expect(reduceBoard(board, load).problem).toBeUndefined();
  });
});
