// @vitest-environment jsdom
import { act, cleanup, render, screen } from '@testing-library/react';
import { Profiler, StrictMode, useState } from 'react';
import type { ReactNode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { WebSocketLike } from '../../src/core/options.js';
import { RealtimeProvider, useGoalActivity, useRealtime, useRealtimeBatch, useRealtimeConnection, useRealtimeEvent, useRealtimeGoals, useRealtimeResync, useRealtimeStatus } from '../../src/react/index.js';
import { createFakeServer, createTestClient, MockRealtimeProvider } from '../../src/testing/index.js';
import type { FakeServer } from '../../src/testing/index.js';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
afterEach(cleanup);

const State = (): ReactNode => <p data-testid="state">{useRealtimeConnection().connectionState}</p>;
const state = (): string | null => screen.getByTestId('state').textContent;
/** Everything has run that was put off until the next task before: timers of equal length keep their order. */
const settled = (): Promise<void> => act(() => new Promise<void>((resolve) => void setTimeout(resolve)));
/** The next frame has been: callbacks of one frame keep their order. */
const framed = (): Promise<void> => act(() => new Promise<void>((resolve) => void requestAnimationFrame(() => resolve())));

/** Options that lead to a fake server, counting sockets. */
const optionsOf = (server: FakeServer) => {
  const sockets: WebSocketLike[] = [];
  return {
    sockets,
    url: server.url,
    getToken: () => server.token(),
    ports: {
      ...server.ports,
      socket: (url: string) => {
        const socket = server.ports.socket(url);
        sockets.push(socket);
        return socket;
      },
    },
  };
};

describe('the provider', () => {
  test('opens one socket under StrictMode, and none stays after it', async () => {
    const server = createFakeServer();
    const { sockets, ...options } = optionsOf(server);
    const { unmount } = render(
      <StrictMode>
        <RealtimeProvider {...options}>
          <State />
        </RealtimeProvider>
      </StrictMode>,
    );
    expect(state()).toBe('connected');
    await settled();
    expect([sockets.length, server.connections]).toEqual([1, 1]);
    unmount();
    await settled();
    expect([sockets.length, server.connections, server.clock.pending]).toEqual([1, 0, 1]); // the server's own sweep
  });

  test('shares one socket with another provider of the same URL and session', async () => {
    const server = createFakeServer();
    const { sockets, ...options } = optionsOf(server);
    const { rerender } = render(
      <>
        <RealtimeProvider {...options} sessionKey="t/u" />
        <RealtimeProvider {...options} sessionKey="t/u">
          <State />
        </RealtimeProvider>
      </>,
    );
    expect([state(), sockets.length]).toEqual(['connected', 1]);
    rerender(
      <>
        <RealtimeProvider {...options} sessionKey="t/u" />
      </>,
    );
    await settled();
    expect([sockets.length, server.connections]).toEqual([1, 1]);
  });

  test('flag off, on, off: no socket, one, none', async () => {
    const server = createFakeServer();
    const { sockets, ...options } = optionsOf(server);
    const App = ({ enabled }: { enabled: boolean }): ReactNode => (
      <RealtimeProvider {...options} enabled={enabled}>
        <State />
      </RealtimeProvider>
    );
    const { rerender } = render(<App enabled={false} />);
    expect([state(), sockets.length]).toEqual(['disconnected', 0]);
    rerender(<App enabled />);
    expect([state(), sockets.length]).toEqual(['connected', 1]);
    rerender(<App enabled={false} />);
    await settled();
    expect([state(), sockets.length, server.connections]).toEqual(['disconnected', 1, 0]);
  });

  test('a session that changes leaves nothing of the old user', async () => {
    const server = createFakeServer();
    const { sockets, ...options } = optionsOf(server);
    const heard: string[] = [];
    const resyncs: string[] = [];
    let user = 'one';
    const getToken = (): string => ['test-tenant', user, server.clock.now() + 3_600_000].join(' ');
    const Recent = (): ReactNode => {
      const { client, status } = useRealtime();
      useRealtimeEvent({ eventType: '*', onEvent: (event) => heard.push((status.state === 'connected' && status.userId) + ':' + event.type) });
      return <p data-testid="recent">{client ? client.recent('*').length : 'none'}</p>;
    };
    const App = ({ session }: { session: string | null }): ReactNode => (
      <RealtimeProvider {...options} getToken={getToken} sessionKey={session} onResync={({ reason }) => void resyncs.push(session + ':' + reason)}>
        <State />
        <Recent />
      </RealtimeProvider>
    );
    const { rerender } = render(<App session="one" />);
    act(() => void server.emit('goal.paused'));
    expect(server.connections).toBe(1);
    user = 'two';
    rerender(<App session="two" />);
    // The old socket is closed before the new one opens, within the same commit.
    expect([server.connections, sockets.length]).toEqual([1, 2]);
    expect(screen.getByTestId('recent').textContent).toBe('0');
    act(() => void server.emit('goal.resumed'));
    expect(heard).toEqual(['one:goal.paused', 'two:goal.resumed']);
    expect(resyncs).toEqual(['one:first', 'two:first']);
    expect(server.sent.filter((message) => message.action === 'auth').map((message) => message.lastSequence)).toEqual([undefined, undefined]);
    rerender(<App session={null} />);
    await settled();
    expect([state(), server.connections]).toEqual(['disconnected', 0]);
  });

  test('calls the newest getToken', () => {
    const server = createFakeServer();
    const { sockets, ...options } = optionsOf(server);
    const calls: string[] = [];
    const App = ({ name }: { name: string }): ReactNode => (
      <RealtimeProvider
        {...options}
        getToken={() => {
          calls.push(name);
          return server.token();
        }}
      >
        <State />
      </RealtimeProvider>
    );
    const { rerender } = render(<App name="first" />);
    rerender(<App name="second" />);
    act(() => server.expireToken());
    act(() => {
      server.page('visible');
    });
    expect([calls, state(), sockets.length]).toEqual([['first', 'second'], 'connected', 2]);
  });

  test('hooks without a provider say what is missing', () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    expect(() => render(<State />)).toThrow('There is no RealtimeProvider above this component');
    vi.restoreAllMocks();
  });
});

describe('on a server', () => {
  test('renders without a socket, and hydrates without a warning', async () => {
    const server = createFakeServer();
    const { sockets, ...options } = optionsOf(server);
    const app = (
      <RealtimeProvider {...options}>
        <State />
      </RealtimeProvider>
    );
    const html = renderToString(app);
    expect(html).toBe('<p data-testid="state">disconnected</p>');
    expect(sockets.length).toBe(0);
    const errors = vi.spyOn(console, 'error');
    const container = document.body.appendChild(document.createElement('div'));
    container.innerHTML = html;
    const root = await act(() => hydrateRoot(container, app));
    expect(container.textContent).toBe('connected');
    expect(errors).not.toHaveBeenCalled();
    act(() => root.unmount());
    container.remove();
  });
});

describe('events', () => {
  test('reach the newest callback, once each, none after unmounting', () => {
    const server = createFakeServer();
    const heard: string[] = [];
    const List = ({ name }: { name: string }): ReactNode => {
      useRealtimeEvent({ eventType: ['goal.paused', 'goal.resumed'], onEvent: (event) => heard.push(name + ' ' + event.type) });
      return null;
    };
    const App = ({ name }: { name?: string }): ReactNode => (
      <StrictMode>
        <MockRealtimeProvider server={server}>{name && <List name={name} />}</MockRealtimeProvider>
      </StrictMode>
    );
    const { rerender } = render(<App name="a" />);
    server.emit('goal.paused');
    rerender(<App name="b" />);
    server.emit('goal.resumed');
    server.emit('goal.completed');
    rerender(<App />);
    server.emit('goal.paused');
    expect(heard).toEqual(['a goal.paused', 'b goal.resumed']);
  });

  test('a thousand in a burst all arrive, and a component that does not read the state renders once', async () => {
    const server = createFakeServer();
    let renders = 0;
    let statusRenders = 0;
    const Count = (): ReactNode => {
      const [count, setCount] = useState(0);
      useRealtimeEvent({ eventType: '*', onEvent: () => setCount((n) => n + 1) });
      renders++;
      return <p data-testid="count">{count}</p>;
    };
    const Status = (): ReactNode => {
      statusRenders++;
      return <p>{useRealtimeStatus(({ state }) => state)}</p>;
    };
    render(
      <MockRealtimeProvider server={server}>
        <Count />
        <Profiler id="status" onRender={() => {}}>
          <Status />
        </Profiler>
      </MockRealtimeProvider>,
    );
    const before = [renders, statusRenders];
    act(() => {
      for (let i = 0; i < 1000; i++) server.emit('goal.paused');
    });
    expect(screen.getByTestId('count').textContent).toBe('1000');
    expect([renders, statusRenders]).toEqual([(before[0] as number) + 1, before[1]]);
    // Reconnecting renders whoever reads the state, and nobody else.
    server.drop();
    await server.clock.advance(2000);
    expect(renders).toBe((before[0] as number) + 1);
    expect(statusRenders).toBeGreaterThan(before[1] as number);
  });

  test('the filter: entity, own, replayed, enabled', async () => {
    const server = createFakeServer({ userId: 'me' });
    const heard: Record<string, string[]> = { g1: [], others: [], live: [], off: [] };
    const note = (name: string) => (event: { eventId: string }) => void heard[name]?.push(event.eventId);
    const List = (): ReactNode => {
      useRealtimeEvent({ eventType: 'goal.*', where: { kind: 'goal', id: 'g1' }, onEvent: note('g1') });
      useRealtimeEvent({ eventType: 'goal.*', own: false, onEvent: note('others') });
      useRealtimeEvent({ eventType: 'goal.*', replayed: false, onEvent: note('live') });
      useRealtimeEvent({ eventType: 'goal.*', enabled: false, onEvent: note('off') });
      return null;
    };
    render(
      <MockRealtimeProvider server={server}>
        <List />
      </MockRealtimeProvider>,
    );
    server.emit('goal.paused', { goalId: 'g1', pausedBy: 'me' }, { eventId: '1' });
    server.emit('goal.paused', { goalId: 'g2', pausedBy: 'you' }, { eventId: '2' });
    server.drop();
    server.emit('goal.resumed', { goalId: 'g1', resumedBy: 'you' }, { eventId: '3' });
    await server.clock.advance(2000);
    expect(heard).toEqual({ g1: ['1', '3'], others: ['2', '3'], live: ['1', '2'], off: [] });
  });

  test.each([
    ['a frame', undefined, framed],
    ['a millisecond', 1, settled],
  ])('useRealtimeBatch: all of %s in one call, in order', async (_, maxWaitMs, over) => {
    const server = createFakeServer();
    const batches: number[][] = [];
    const List = (): ReactNode => {
      useRealtimeBatch({ eventType: 'goal.*', maxWaitMs, onEvents: (events) => batches.push(events.map((event) => event.sequence)) });
      return null;
    };
    const { unmount } = render(
      <MockRealtimeProvider server={server}>
        <List />
      </MockRealtimeProvider>,
    );
    const [a, b] = [server.emit('goal.paused').sequence, server.emit('goal.resumed').sequence];
    expect(batches).toEqual([]);
    await vi.waitFor(() => expect(batches).toEqual([[a, b]]));
    server.emit('goal.paused');
    unmount();
    await over();
    expect(batches.length).toBe(1);
  });

  test('useRealtimeBatch: by a timer where the frame that was asked for does not come; what waits is dropped with its session', async () => {
    const server = createFakeServer();
    const client = createTestClient(server);
    const batches: number[][] = [];
    const List = (): ReactNode => {
      useRealtimeBatch({ eventType: '*', onEvents: (events) => batches.push(events.map((event) => event.sequence)) });
      return null;
    };
    render(<RealtimeProvider client={client} children={<List />} />);
    await client.connect();
    const ask = vi.spyOn(globalThis, 'requestAnimationFrame').mockReturnValue(7);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const { sequence } = server.emit('goal.paused');
      vi.advanceTimersByTime(100);
      expect([ask.mock.calls.length, batches]).toEqual([1, [[sequence]]]);
      server.emit('goal.resumed');
      act(() => client.setSession('another'));
      vi.advanceTimersByTime(100);
      expect(batches.length).toBe(1);
    } finally {
      vi.useRealTimers();
      ask.mockRestore();
    }
  });

  test('goal hooks: by type, by goal, with its actions', () => {
    const server = createFakeServer();
    const calls: string[] = [];
    const List = (): ReactNode => {
      useGoalActivity({
        goalId: 'g1',
        onCompleted: (data) => calls.push('completed by ' + data.completedBy),
        onActivityCreated: (data) => calls.push('activity ' + data.title),
        onAny: (event) => calls.push('any ' + event.type),
      });
      useRealtimeGoals({ onGoalActivityCreated: (data) => calls.push('goals: ' + data.goalId), onAnyGoalEvent: (type, data) => void calls.push(`goals: ${type} ${data.goalId}`) });
      return null;
    };
    render(
      <MockRealtimeProvider server={server}>
        <List />
      </MockRealtimeProvider>,
    );
    server.emit('goal.completed', { goalId: 'g1', completedBy: 'ana' });
    server.emit('goal.activity.created', { goalId: 'g2', title: 'note' });
    server.emit('action.completed', { goalId: 'g1' });
    server.emit('action.completed', { goalId: 'g2' });
    expect(calls).toEqual(['completed by ana', 'any goal.completed', 'goals: goal.completed g1', 'goals: g2', 'goals: goal.activity.created g2', 'any action.completed']);
  });

  test('useRealtimeResync is told, and events wait for its promise', async () => {
    const server = createFakeServer();
    const order: string[] = [];
    let loaded = (): void => {};
    const List = (): ReactNode => {
      useRealtimeResync(({ reason }) => {
        order.push(reason);
        return reason === 'first' ? undefined : new Promise<void>((resolve) => (loaded = resolve));
      });
      useRealtimeEvent({ eventType: '*', onEvent: ({ type }) => order.push(type) });
      return null;
    };
    render(
      <MockRealtimeProvider server={server}>
        <List />
      </MockRealtimeProvider>,
    );
    server.gap();
    await server.clock.advance(2000);
    server.emit('goal.paused');
    expect(order).toEqual(['first', 'too-old']);
    loaded();
    await act(() => Promise.resolve());
    expect(order).toEqual(['first', 'too-old', 'goal.paused']);
  });
});

describe('the mock provider', () => {
  test.each(['connected', 'reconnecting', 'disconnected', 'error'] as const)('shows %s at once', (wanted) => {
    render(
      <MockRealtimeProvider state={wanted}>
        <State />
      </MockRealtimeProvider>,
    );
    expect(state()).toBe(wanted);
  });

  test('does not own the client that an application hands in', async () => {
    const server = createFakeServer();
    const client = createTestClient(server);
    await client.connect();
    const { unmount } = render(
      <RealtimeProvider client={client}>
        <State />
      </RealtimeProvider>,
    );
    expect(state()).toBe('connected');
    unmount();
    await settled();
    expect(client.getStatus().state).toBe('connected');
    client.destroy();
  });
});

test.each(['connected', 'reconnecting', 'disconnected', 'error'] as const)('MockRealtimeProvider is %s when render() returns, and React complains of nothing', async (wanted) => {
  const complaints = vi.spyOn(console, 'error').mockImplementation(() => {});
  render(
    <MockRealtimeProvider state={wanted}>
      <State />
    </MockRealtimeProvider>,
  );
  expect(state()).toBe(wanted);
  await settled();
  expect([state(), complaints.mock.calls]).toEqual([wanted, []]);
  complaints.mockRestore();
});
