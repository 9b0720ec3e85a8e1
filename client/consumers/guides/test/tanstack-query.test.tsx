import { QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query';
import { act, render, screen } from '@testing-library/react';
import { createFakeServer, MockRealtimeProvider } from '@purposepath/realtime/testing';
import type { ReactNode } from 'react';
import { SWRConfig } from 'swr';
import useSWR from 'swr';
import { LiveCache } from '../out/tanstack-query/src/LiveCache';
import { LiveProgress } from '../out/tanstack-query/src/LiveProgress';
import { LiveSwr } from '../out/tanstack-query/src/LiveSwr';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

/** A query that says how often it was loaded. */
function setUp(key: readonly string[], live: ReactNode, queryFn: () => unknown) {
  const server = createFakeServer();
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  const Shown = () => <p data-testid="shown">{JSON.stringify(useQuery({ queryKey: key, queryFn }).data)}</p>;
  render(
    <QueryClientProvider client={client}>
      <MockRealtimeProvider server={server}>
        {live}
        <Shown />
      </MockRealtimeProvider>
    </QueryClientProvider>,
  );
  return { server, shown: () => screen.getByTestId('shown').textContent };
}

test('events of a goal load its query once, those of another goal do not', async () => {
  let loads = 0;
  const { server, shown } = setUp(['goal', 'g1'], <LiveCache />, () => ++loads);
  await pass(3000); // the first resync is over
  const before = loads;
  for (let i = 0; i < 5; i++) server.emit('goal.activity.created', { goalId: 'g1' });
  server.emit('action.completed', { actionId: 'a1', goalId: 'g1' });
  await pass(1000);
  expect(shown()).toBe(String(before + 1));
  server.emit('goal.paused', { goalId: 'g2' });
  await pass(1000);
  expect(shown()).toBe(String(before + 1));
});

test('after a resync everything is loaded', async () => {
  let loads = 0;
  const { server, shown } = setUp(['anything'], <LiveCache />, () => ++loads);
  await pass(3000);
  const before = loads;
  server.gap();
  await server.clock.advance(1000);
  await pass(3000);
  expect(shown()).toBe(String(before + 1));
});

test('an event is written into the cache, and an older answer does not overwrite it', async () => {
  let answer = (_: unknown): void => undefined;
  const { server, shown } = setUp(['action', 'a1'], <LiveProgress />, () => new Promise((resolve) => (answer = resolve)));
  await pass(0);
  answer({ actionId: 'a1', title: 'Call', progress: 10 });
  await pass(0);
  server.emit('action.progress_updated', { actionId: 'a1', newProgress: 60 });
  await pass(0);
  expect(JSON.parse(shown() || '')).toMatchObject({ title: 'Call', progress: 60 });
});

test('SWR loads the keys of a goal', async () => {
  const server = createFakeServer();
  let loads = 0;
  const Shown = () => <p data-testid="shown">{String(useSWR<number>('/api/goals', () => ++loads).data)}</p>;
  render(
    <SWRConfig value={{ dedupingInterval: 0, provider: () => new Map() }}>
      <MockRealtimeProvider server={server}>
        <LiveSwr />
        <Shown />
      </MockRealtimeProvider>
    </SWRConfig>,
  );
  await pass(3000);
  const before = loads;
  server.emit('goal.created', { goalId: 'g1' });
  server.emit('goal.activated', { goalId: 'g1' });
  await pass(1000);
  expect(screen.getByTestId('shown').textContent).toBe(String(before + 1));
});
