// The test of a component, as an application writes it.
import { act, cleanup, render, screen } from '@testing-library/react';
import { createFakeServer, createTestClient, makeEvent, MockRealtimeProvider } from '@purposepath/realtime/testing';
import { GoalCard } from './app.js';

afterEach(cleanup);

test('shows what happens, and what was missed', async () => {
  const server = createFakeServer({ tenantId: 't1', userId: 'u1' });
  render(
    <MockRealtimeProvider server={server}>
      <GoalCard goal={{ id: 'g1', title: 'Ship' }} />
    </MockRealtimeProvider>,
  );
  server.emit('goal.completed', { goalId: 'g1', completedBy: 'u2' });
  await screen.findByText('Live');
  server.drop(1006);
  server.emit('goal.activity.created', { goalId: 'g1', title: 'While away' });
  await server.clock.advance(1000);
  await screen.findByText(/While away/);

  expect(makeEvent('goal.created', { title: 'x' }).data.title).toBe('x');
  // @ts-expect-error wrong payload
  server.emit('goal.created', { titel: 'x' });
  const client = createTestClient(server);
  await act(() => client.connect());
  expect(await client.probe()).toBe(true);
});
