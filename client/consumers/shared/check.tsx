// The test that an application writes with ./testing: the same text for Jest 27 and Vitest 4, whose names are global.
import { act, cleanup, render, screen } from '@testing-library/react';
import { createFakeServer, createTestClient, makeEvent, MockRealtimeProvider } from '@purposepath/realtime/testing';
import { Goals } from './App.js';

afterEach(cleanup);
const text = (id: string): string | null | undefined => document.querySelector('#' + id)?.textContent;

test('a component shows what the server sends, and what it missed', async () => {
  const server = createFakeServer();
  render(
    <MockRealtimeProvider server={server}>
      <Goals />
    </MockRealtimeProvider>,
  );
  expect(text('state')).toBe('connected');
  server.emit('goal.created', { title: 'Ship' });
  expect(screen.getByText('Ship').tagName).toBe('LI');

  server.gap();
  expect(text('state')).toBe('reconnecting');
  await server.clock.advance(2000);
  expect(text('loads')).toMatch(/too-old$/);
});

test('without React, too', async () => {
  const server = createFakeServer({ tenantId: 't1', userId: 'u1' });
  const client = createTestClient(server);
  const seen: string[] = [];
  client.subscribe('*', (event) => seen.push(event.type));
  await client.connect();
  server.drop();
  server.emit('goal.completed', { goalId: 'g1' });
  await act(() => server.clock.advance(2000));
  expect(seen).toEqual(['goal.completed']);
  expect(makeEvent('issue.created', { title: 'Broken' }).data.title).toBe('Broken');
});
