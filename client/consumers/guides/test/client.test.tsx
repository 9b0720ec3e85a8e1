import { act, render, screen } from '@testing-library/react';
import { createFakeServer, MockRealtimeProvider } from '@purposepath/realtime/testing';
import type { FakeServer } from '@purposepath/realtime/testing';
import { ConnectionNotice } from '../out/client/src/ConnectionNotice';
import { useGoalList } from '../out/client/src/useGoalList';
import type { Goal } from '../out/client/src/useGoalList';

const ship: Goal = { goalId: 'g1', title: 'Ship', status: 'active' };

/** A list whose loads the test answers. */
function setUp(server: FakeServer, mounted: 'first' | 'late' = 'first') {
  const answers: ((goals: readonly Goal[]) => void)[] = [];
  const fetchGoals = () => new Promise<readonly Goal[]>((resolve) => answers.push(resolve));
  const List = () => <p data-testid="goals">{useGoalList(fetchGoals).map(({ title, status }) => `${title} ${status}`).join()}</p>;
  const page = (list: boolean) => <MockRealtimeProvider server={server}>{list && <List />}</MockRealtimeProvider>;
  const { rerender } = render(page(mounted === 'first'));
  if (mounted === 'late') rerender(page(true));
  const answer = (i: number, goals: readonly Goal[]) => act(async () => answers[i]?.(goals));
  return { answers, answer, shown: () => screen.getByTestId('goals').textContent };
}

test('loads on mount and on the first connection; of two answers the later request counts', async () => {
  const { answers, answer, shown } = setUp(createFakeServer());
  expect(answers).toHaveLength(2);
  await answer(1, [ship]);
  await answer(0, []);
  expect(shown()).toBe('Ship active');
});

test('events keep the list up to date', async () => {
  const server = createFakeServer();
  const { answer, shown } = setUp(server);
  await answer(0, [ship]);
  await answer(1, [ship]);
  server.emit('goal.created', { goalId: 'g2', title: 'Rest', status: 'draft' });
  server.emit('goal.completed', { goalId: 'g1' });
  expect(shown()).toBe('Ship completed,Rest draft');
});

test('what comes while state is loaded after a gap is not overwritten by it', async () => {
  const server = createFakeServer();
  const { answers, answer, shown } = setUp(server);
  await answer(0, [ship]);
  await answer(1, [ship]);
  server.gap();
  await server.clock.advance(1000);
  expect(answers).toHaveLength(3);
  server.emit('goal.completed', { goalId: 'g1' });
  await answer(2, [ship]); // as it was before that event
  expect(shown()).toBe('Ship completed');
});

test('what comes while a late list is loaded is loaded, too', async () => {
  const server = createFakeServer();
  const { answers, answer, shown } = setUp(server, 'late');
  expect(answers).toHaveLength(1);
  server.emit('goal.completed', { goalId: 'g1' });
  await answer(0, [ship]); // as it was before that event
  await answer(1, [{ ...ship, status: 'completed' }]);
  expect(shown()).toBe('Ship completed');
});

test('what the server will not have is told, with a way out', async () => {
  const server = createFakeServer();
  render(
    <MockRealtimeProvider server={server} state="error">
      <ConnectionNotice />
    </MockRealtimeProvider>,
  );
  expect(screen.getByRole('alert').textContent).toContain('Please reload the page');
  await act(async () => screen.getByRole('button').click());
  expect(screen.queryByRole('alert')).toBeNull();
});
