import { useQuery } from '@tanstack/react-query';
import { act, fireEvent, render, screen } from '@testing-library/react';
import { useRealtimeEvent } from '@purposepath/realtime/react';
import { createFakeServer, createTestClient } from '@purposepath/realtime/testing';
import type { FakeServer } from '@purposepath/realtime/testing';
import { useState } from 'react';
import App from '../out/sessions/src/App';
import { Session } from '../out/sessions/src/Session';
import { SignedOut } from '../out/sessions/src/SignedOut';
import { keepTitles } from '../out/sessions/src/titles';

afterEach(() => void vi.unstubAllGlobals());

const optionsOf = (server: FakeServer) => ({ url: server.url, ports: server.ports, getToken: () => server.token() });

function Goals({ titles }: { readonly titles: readonly string[] }) {
  const [live, setLive] = useState<readonly string[]>([]);
  useRealtimeEvent({ eventType: 'goal.created', onEvent: (event) => setLive((before) => [...before, event.data.title]) });
  const { data = [] } = useQuery({ queryKey: ['goals'], queryFn: () => titles, staleTime: Infinity });
  return <p data-testid="goals">{[...data, ...live].join()}</p>;
}
const shown = () => screen.getByTestId('goals').textContent;

test('of the old tenant nothing stays, and nothing comes', async () => {
  const [one, two] = [createFakeServer({ tenantId: 't1' }), createFakeServer({ tenantId: 't2' })];
  const page = (server: FakeServer) => (
    <Session sessionKey={`${server.tenantId}/ana`} realtime={optionsOf(server)}>
      <Goals titles={['loaded in ' + server.tenantId]} />
    </Session>
  );
  const { rerender } = render(page(one));
  await screen.findByText('loaded in t1');
  act(() => void one.emit('goal.created', { title: 'live in t1' }));
  expect(shown()).toBe('loaded in t1,live in t1');

  rerender(page(two));
  await screen.findByText('loaded in t2');
  act(() => {
    one.emit('goal.created', { title: 'too late' });
    two.emit('goal.created', { title: 'live in t2' });
  });
  expect(shown()).toBe('loaded in t2,live in t2');
  expect([one.connections, two.connections]).toEqual([0, 1]);
});

test('signed out: no connection, and the sign-in page', () => {
  const server = createFakeServer();
  const page = (sessionKey: string | null) => (
    <Session sessionKey={sessionKey} realtime={optionsOf(server)}>
      <SignedOut fallback={<p>sign in</p>}>
        <p>inside</p>
      </SignedOut>
    </Session>
  );
  const { rerender } = render(page('t1/ana'));
  screen.getByText('inside');
  rerender(page(null));
  screen.getByText('sign in');
  expect(server.connections).toBe(0);
});

test('without React: what is remembered of a session goes with it, and what comes of the next one stays', async () => {
  const server = createFakeServer();
  const client = createTestClient(server, { sessionKey: 't0/ana' });
  const titles = new Map<string, string>();
  keepTitles(client, titles);
  await client.connect();
  server.emit('goal.created', { title: 'of the old one' });
  expect([...titles.values()]).toEqual(['of the old one']);
  client.setSession('t1/ana');
  expect(titles.size).toBe(0);
  await client.connect();
  server.emit('goal.created', { title: 'of the new one' });
  expect([...titles.values()]).toEqual(['of the new one']);
});

test('every user gets a token of his own, and signing out ends the connection', async () => {
  const asked: string[] = [];
  const sockets: string[] = [];
  vi.stubGlobal('fetch', (url: string) => {
    asked.push(new URL(url).search);
    return Promise.resolve(Response.json({ token: url }));
  });
  vi.stubGlobal('WebSocket', class {
    constructor(url: string) {
      sockets.push(url);
    }
    close = () => void sockets.push('closed');
  });
  render(<App />);
  /** Clicks, and waits for what has to follow. */
  const click = (name: string, follows: () => void) =>
    act(async () => {
      fireEvent.click(screen.getByText(name));
      await vi.waitFor(follows);
    });
  await click('Sign in as user-ana of demo', () => expect(sockets).toEqual(['ws://localhost:5055']));
  await click('Sign out', () => expect(sockets).toEqual(['ws://localhost:5055', 'closed']));
  await click('Sign in as ben of other', () => expect(asked).toEqual(['?tenant=demo&user=user-ana', '?tenant=other&user=ben']));
});
