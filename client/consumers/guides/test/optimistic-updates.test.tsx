import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { act, fireEvent, render, screen } from '@testing-library/react';
import { createFakeServer, MockRealtimeProvider } from '@purposepath/realtime/testing';
import { GoalCard } from '../out/optimistic-updates/src/GoalCard';
import { LiveGoals } from '../out/optimistic-updates/src/LiveGoals';
import { isEcho, ownCall } from '../out/optimistic-updates/src/ownCalls';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));

/** A page with one goal, and the API behind it. */
async function setUp() {
  const server = createFakeServer();
  const api = { status: 'active', loads: 0, fails: false, correlationId: '' };
  vi.stubGlobal('fetch', async (_url: string, init?: RequestInit) => {
    if (init?.method !== 'POST') {
      api.loads++;
      return Response.json({ goalId: 'g1', title: 'Ship', status: api.status });
    }
    api.correlationId = new Headers(init.headers).get('X-Correlation-Id') || '';
    await new Promise((resolve) => setTimeout(resolve, 100));
    if (!api.fails) api.status = 'completed';
    return new Response(null, { status: api.fails ? 500 : 204 });
  });
  render(
    <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } })}>
      <MockRealtimeProvider server={server}>
        <LiveGoals />
        <GoalCard goalId="g1" />
      </MockRealtimeProvider>
    </QueryClientProvider>,
  );
  await pass(3000); // the first resync is over
  const click = () => fireEvent.click(screen.getByRole('button'));
  return { server, api, click, loaded: api.loads };
}

test('the change shows at once, and its echo loads nothing', async () => {
  const { server, api, click, loaded } = await setUp();
  click();
  await pass(10);
  screen.getByText('completed');
  await pass(200);
  server.emit('goal.completed', { goalId: 'g1', completedBy: server.userId }, { correlationId: api.correlationId });
  await pass(2000);
  screen.getByText('completed');
  expect(api.loads).toBe(loaded);
});

test("the user's own change in another tab is loaded", async () => {
  const { server, api, loaded } = await setUp();
  api.status = 'paused';
  server.emit('goal.paused', { goalId: 'g1', pausedBy: server.userId }, { correlationId: 'of another tab' });
  await pass(1000);
  screen.getByText('paused');
  expect(api.loads).toBe(loaded + 1);
});

test('a change that fails is taken back, and what came in between is not lost', async () => {
  const { api, click } = await setUp();
  api.fails = true;
  click();
  await pass(10);
  screen.getByText('completed');
  api.status = 'paused'; // by somebody else, meanwhile
  await pass(1000);
  screen.getByText('paused');
  screen.getByRole('alert');
});

test('the latest 200 ids are known, and no others', () => {
  const first = ownCall();
  for (let i = 0; i < 199; i++) ownCall();
  expect([isEcho({ correlationId: first }), isEcho({ correlationId: 'a stranger' }), isEcho({})]).toEqual([true, false, false]);
  ownCall();
  expect(isEcho({ correlationId: first })).toBe(false);
});
