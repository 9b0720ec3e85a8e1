import { createFakeServer, createTestClient } from '@purposepath/realtime/testing';
import { api } from '../out/redux/src/api';
import { signIn, signOut } from '../out/redux/src/session';
import { makeStore } from '../out/redux/src/store';
import { wire } from '../out/redux/src/wire';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function setUp() {
  const server = createFakeServer({ tenantId: 't1', userId: 'ana' });
  const loads: string[] = [];
  vi.stubGlobal('fetch', async (request: Request) => {
    loads.push(new URL(request.url).pathname);
    return Response.json(request.url.endsWith('goals') ? [] : { goalId: 'g1', title: 'Ship' });
  });
  const store = makeStore();
  const client = createTestClient(server, { sessionKey: null });
  const stop = wire(client, store);
  signIn(client, { tenantId: 't1', userId: 'ana' });
  store.dispatch(api.endpoints.goals.initiate());
  store.dispatch(api.endpoints.goal.initiate('g1'));
  store.dispatch(api.endpoints.goal.initiate('g2'));
  await vi.advanceTimersByTimeAsync(3000); // the first resync is over
  loads.length = 0;
  return { server, store, client, stop, loads };
}

test('an event of a goal loads that goal, a new goal loads the lists, too', async () => {
  const { server, loads } = await setUp();
  server.emit('goal.paused', { goalId: 'g1' });
  await vi.advanceTimersByTimeAsync(1000);
  expect(loads).toEqual(['/goals/g1']);
  loads.length = 0;
  server.emit('goal.created', { goalId: 'g3' });
  await vi.advanceTimersByTimeAsync(1000);
  expect(loads.sort()).toEqual(['/goals', '/goals/g1', '/goals/g2']);
});

test('state and events reach the store, and signing out empties it', async () => {
  const { server, store, client, stop } = await setUp();
  expect(store.getState().realtime.connection).toBe('connected');
  server.emit('issue.created', { severity: 'critical', title: 'Logins fail' });
  server.emit('issue.created', { severity: 'low', title: 'A typo' });
  expect(store.getState().realtime.criticalIssues).toEqual(['Logins fail']);

  signOut(client);
  expect(store.getState().realtime).toEqual({ connection: 'disconnected', criticalIssues: [] });
  expect(store.getState().api.queries).toEqual({});
  expect(server.connections).toBe(0);
  stop();
});
