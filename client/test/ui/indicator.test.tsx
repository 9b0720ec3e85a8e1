// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { StrictMode } from 'react';
import type { ReactElement } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { describe, expect, test, vi } from 'vitest';
import type { RealtimeClient, WebSocketLike } from '../../src/core/options.js';
import { RealtimeProvider } from '../../src/react/index.js';
import type { RealtimeProviderProps } from '../../src/react/index.js';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';
import type { FakeServer } from '../../src/testing/index.js';
import { RealtimeIndicator, useRealtimeIndicator } from '../../src/ui/index.js';
import type { RealtimeIndicatorProps } from '../../src/ui/index.js';
import { pass, stillTimers } from './timers.js';

stillTimers();

const pill = (): HTMLElement | null => document.querySelector('.rt-pill');
const shown = (): string => (pill()?.dataset.state ?? 'nothing') + ': ' + (pill()?.textContent ?? '');
const button = (): HTMLElement => screen.getByRole('button', { name: /^Connection/ });
const panel = (): HTMLElement | null => document.querySelector('.rt-panel');
const regions = (): NodeListOf<HTMLElement> => document.querySelectorAll('[role=status]');
/** Each text of the live region, in order. */
const hear = (): string[] => {
  const [region] = Array.from(regions());
  if (!region) throw new Error('no live region');
  const said: string[] = [];
  const { set, get } = Object.getOwnPropertyDescriptor(Node.prototype, 'textContent') as Required<PropertyDescriptor>;
  Object.defineProperty(region, 'textContent', {
    get,
    set(text: string) {
      if (text) said.push(text);
      set.call(region, text);
    },
  });
  return said;
};

/** A server, a client on it, and an application that shows it; all on vitest's clock. While `line.down`, no connection opens; delays are as long as they may be. */
const start = () => {
  const server = createFakeServer({ clock: 'real' });
  const line = { down: false };
  const socket = (url: string): WebSocketLike => {
    if (!line.down) return server.ports.socket(url);
    const self = { send() {}, close() {} } as unknown as WebSocketLike;
    setTimeout(() => self.onclose?.({ code: 1006 } as never), 50);
    return self;
  };
  const client = createTestClient(server, { ports: { ...server.ports, random: () => 0.9999, socket } });
  const App = ({ labels, enabled, ...props }: RealtimeIndicatorProps & Pick<RealtimeProviderProps, 'labels' | 'enabled'>): ReactElement => (
    <StrictMode>
      <RealtimeProvider client={client} labels={labels} enabled={enabled}>
        <RealtimeIndicator {...props} />
      </RealtimeProvider>
    </StrictMode>
  );
  return { server, client, line, App };
};
/** Cuts the line, and lets nobody back until the returned function is called. */
const cut = (server: FakeServer): (() => void) => {
  const release = server.hold();
  act(() => server.drop());
  return release;
};
/** A client that has one status and no more: for those that a server can't be brought to. */
const standing = (client: RealtimeClient, status: object): RealtimeClient => ({ ...client, getStatus: () => status as never });

describe('the pill', () => {
  test('flag off: nothing; on: connecting, then live', async () => {
    const { server, App } = start();
    const release = server.hold();
    const { rerender, container } = render(<App enabled={false} />);
    expect(container.innerHTML).toBe('');
    rerender(<App enabled className="mine" />);
    expect([shown(), pill()?.dataset.late]).toEqual(['connecting: Connecting', 'true']);
    act(release);
    await pass(0);
    expect(shown()).toBe('live: Live');
    expect(container.querySelector('.rt-indicator.mine')).not.toBe(null);
    rerender(<App enabled={false} />);
    expect(container.innerHTML).toBe('');
  });

  test('connected already: there at once', async () => {
    const { client, App } = start();
    await client.connect();
    render(<App />);
    expect([shown(), pill()?.dataset.late]).toEqual(['live: Live', undefined]);
  });

  test('a loss shows after 2 s, and one that is over by then never', async () => {
    const { server, App } = start();
    const seen = new Set<string>();
    render(<App />);
    const watch = new MutationObserver(() => seen.add(shown()));
    watch.observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true });
    const back = cut(server);
    await pass(1900);
    act(back);
    // Whatever is over at 1,900 ms is not made up for later.
    await pass(3000);
    expect([shown(), Array.from(seen)]).toEqual(['live: Live', []]);
    cut(server);
    await pass(1999);
    expect(shown()).toBe('live: Live');
    await pass(1);
    expect(shown()).toBe('reconnecting: Reconnecting');
    watch.disconnect();
  });

  test('graceMs is its own; what mounts after a loss shows it at once', async () => {
    const { server, App } = start();
    const { rerender } = render(<App graceMs={500} />);
    cut(server);
    await pass(499);
    expect(shown()).toBe('live: Live');
    await pass(1);
    expect(shown()).toBe('reconnecting: Reconnecting');
    rerender(<App key="new" graceMs={10_000} />);
    expect(shown()).toBe('reconnecting: Reconnecting');
  });

  test('an error shows at once, with what to do about it', async () => {
    const { server, App } = start();
    render(<App />);
    server.reject('FORBIDDEN', { reason: 'upgrade' });
    act(() => server.drop());
    await pass(1000);
    expect(shown()).toBe('stopped: Ask for access');
    cleanup();
    const { client } = start();
    const says = (code: string): string => {
      render(<RealtimeProvider client={standing(client, { state: 'error', error: { code, at: 0 } })} children={<RealtimeIndicator />} />);
      const text = shown();
      cleanup();
      return text;
    };
    expect(['UNAUTHORIZED', 'NEVER_OPENED'].map(says)).toEqual(['stopped: Sign in again', 'stopped: Check the address']);
  });

  test('no network, and closed by the application: offline', async () => {
    const { server, client, line, App } = start();
    render(<App />);
    act(() => client.disconnect());
    expect(shown()).toBe('offline: Offline');
    await act(() => client.connect());
    expect(shown()).toBe('live: Live');
    line.down = true;
    act(() => {
      server.page('offline');
      server.drop();
    });
    await pass(1999);
    expect(shown()).toBe('live: Live');
    await pass(1);
    expect(shown()).toBe('offline: Offline');
    // It tries all the same, at 3.05 s for the second time, and the pill does not flicker for that.
    await pass(1060);
    expect([client.getStatus(), shown()]).toMatchObject([{ phase: 'opening' }, 'offline: Offline']);
  });

  test('connected without an answer: updating, after its grace, and reconnecting without a second one', async () => {
    const { server, App } = start();
    render(<App />);
    await pass(100_000);
    act(() => {
      server.halfOpen();
      server.hold();
      server.page('interaction');
    });
    // The first question goes unanswered for 5 s: stale. The second, too: lost.
    await pass(6999);
    expect([shown(), pill()?.dataset.stale]).toEqual(['live: Live', undefined]);
    await pass(1);
    expect([shown(), pill()?.dataset.stale]).toEqual(['live: Updating', 'true']);
    await pass(3000);
    expect(shown()).toBe('reconnecting: Reconnecting');
  });

  test('words of the application, also those it leaves out', async () => {
    const { App } = start();
    render(<App labels={{ live: 'Verbunden', connection: 'Verbindung' }} showDetails />);
    const verbunden = screen.getByRole('button', { name: 'Verbindung: Verbunden' });
    fireEvent.click(verbunden);
    expect(panel()?.textContent).toContain('Changes appear here as they happen.');
  });
});

describe('the panel', () => {
  const rows = (): string[] => Array.from(document.querySelectorAll('.rt-panel [role=list] > [role=listitem]'), (row) => row.textContent ?? '');
  const time = (at: number): string => new Date(at).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });

  test('says what is known while connected', async () => {
    const { server, client, App } = start();
    render(<App showDetails />);
    const since = Date.now();
    await pass(120_000);
    act(() => void server.emit('goal.paused', {}, { timestamp: new Date(Date.now() - 42).toISOString() }));
    expect([button().getAttribute('aria-expanded'), panel()]).toEqual(['false', null]);
    fireEvent.click(button());
    expect(button().getAttribute('aria-expanded')).toBe('true');
    expect(panel()?.id).toBe(button().getAttribute('aria-controls'));
    expect(screen.getByRole('group', { name: 'Connection' }).firstChild?.textContent).toBe('Changes appear here as they happen.');
    expect(rows()).toEqual(['Since' + time(since), 'Latency42 ms', 'Last event' + time(Date.now())]);
    expect(screen.queryByText('Retry now')).toBe(null);
    // The figures go on while it is open, without any change of the state.
    await pass(60_000);
    act(() => void server.emit('goal.resumed'));
    await pass(1000);
    expect(rows()[2]).toBe('Last event' + time(client.getStats().lastEventAt as number));
    fireEvent.click(button());
    expect([button().getAttribute('aria-expanded'), panel()]).toEqual(['false', null]);
  });

  test('counts down to the next try, unheard, and tries at once', async () => {
    const { server, client, line, App } = start();
    render(<App showDetails />);
    line.down = true;
    act(() => server.drop());
    await pass(3500);
    fireEvent.click(button());
    // Attempts at 1, 3.05 and 7.1 s.
    const counting = (): HTMLElement | null => screen.queryByText(/^Next try/);
    expect([rows()[1], counting()?.textContent, counting()?.getAttribute('aria-hidden')]).toEqual(['Attempt3', 'Next try in 4 s', 'true']);
    await pass(1000);
    expect(counting()?.textContent).toBe('Next try in 3 s');
    line.down = false;
    const retry = screen.getByRole('button', { name: 'Retry now' });
    retry.focus();
    fireEvent.click(retry);
    expect([client.getStatus().state, shown()]).toEqual(['connected', 'live: Live']);
    // The button that was pressed is gone, the focus is not.
    expect([document.activeElement, screen.queryByText('Retry now'), counting()]).toEqual([button(), null, null]);
  });

  test('keeps the focus when the connection comes back by itself', async () => {
    const { server, App } = start();
    render(<App showDetails />);
    const back = cut(server);
    await pass(2500);
    fireEvent.click(button());
    act(() => screen.getByRole('button', { name: 'Retry now' }).focus());
    act(back);
    await pass(5000);
    expect([shown(), screen.queryByText('Retry now')]).toEqual(['live: Live', null]);
    expect(document.activeElement).toBe(button());
    // Whoever is elsewhere stays there.
    const again = cut(server);
    await pass(2500);
    expect(screen.getByText('Retry now')).not.toBe(null);
    act(() => button().blur());
    act(again);
    await pass(5000);
    expect([screen.queryByText('Retry now'), document.activeElement]).toEqual([null, document.body]);
  });

  test('may stand in a paragraph, open', () => {
    const { client } = start();
    const errors = vi.spyOn(console, 'error');
    render(<RealtimeProvider client={client} children={<p children={<RealtimeIndicator showDetails />} />} />);
    fireEvent.click(button());
    expect(panel()).not.toBe(null);
    expect(errors).not.toHaveBeenCalled();
    errors.mockRestore();
  });

  test('says that nobody is signed in, which is no fault of the network', () => {
    const { client } = start();
    // What there was of the session before is nobody's business now.
    const before = { ...client, getStats: () => ({ ...client.getStats(), lastEventAt: Date.now() }) };
    render(<RealtimeProvider client={standing(before, { state: 'disconnected', reason: 'signed-out' })} children={<RealtimeIndicator showDetails />} />);
    expect(shown()).toBe('offline: Signed out');
    fireEvent.click(button());
    expect(panel()?.textContent).toBe('Nobody is signed in.');
  });

  test('is tried again only where that is up to the user', () => {
    const { client } = start();
    const can = (status: object): boolean => {
      render(<RealtimeProvider client={standing(client, status)} children={<RealtimeIndicator showDetails />} />);
      fireEvent.click(button());
      const there = !!screen.queryByText('Retry now');
      cleanup();
      return there;
    };
    const of = (reason: string): object => ({ state: 'disconnected', reason });
    expect(['replaced', 'closed', 'signed-out'].map((reason) => can(of(reason)))).toEqual([true, false, false]);
    expect(can({ state: 'error', error: { code: 'UNAUTHORIZED', at: 0 } })).toBe(true);
    expect(can({ state: 'connecting', phase: 'opening', attempt: 1 })).toBe(false);
  });

  test('Escape closes it and gives the focus back', () => {
    const { App } = start();
    render(<App showDetails />);
    fireEvent.click(button());
    expect(fireEvent.keyDown(document.body, { key: 'a' })).toBe(true);
    expect(panel()).not.toBe(null);
    // Taken: it closes this and nothing around it.
    expect(fireEvent.keyDown(document.body, { key: 'Escape' })).toBe(false);
    expect([panel(), document.activeElement]).toEqual([null, button()]);
    expect(fireEvent.keyDown(document.body, { key: 'Escape' })).toBe(true);
  });

  test('a click or the focus outside closes it, inside not', () => {
    const { App } = start();
    const elsewhere = document.body.appendChild(document.createElement('button'));
    render(<App showDetails />);
    for (const leave of [() => fireEvent.pointerDown(document.body), () => act(() => elsewhere.focus())]) {
      fireEvent.click(button());
      fireEvent.pointerDown(panel() as HTMLElement);
      expect(panel()).not.toBe(null);
      leave();
      expect(panel()).toBe(null);
    }
    elsewhere.remove();
  });

  test('flag off and on again: closed', () => {
    const { App } = start();
    const { rerender } = render(<App showDetails />);
    fireEvent.click(button());
    rerender(<App showDetails enabled={false} />);
    rerender(<App showDetails />);
    expect(panel()).toBe(null);
  });
});

describe('screen readers', () => {
  test('hear once of a loss and of the return, however many indicators there are; and of a start nothing', async () => {
    const { server, client } = start();
    render(
      <RealtimeProvider client={client}>
        <RealtimeIndicator />
        <RealtimeIndicator graceMs={0} showDetails />
      </RealtimeProvider>,
    );
    expect([regions().length, regions()[0]?.textContent]).toEqual([1, '']);
    const said = hear();
    await pass(60_000);
    expect(said).toEqual([]);
    const back = cut(server);
    await pass(1999);
    expect(said).toEqual([]);
    await pass(1);
    expect(said).toEqual(['Reconnecting']);
    await pass(6000);
    act(back);
    await pass(0);
    expect(said).toEqual(['Reconnecting', 'Reconnected']);
    // What was over within the grace was not said, so its end is not.
    const again = cut(server);
    await pass(1000);
    act(again);
    await pass(60_000);
    expect(said).toEqual(['Reconnecting', 'Reconnected']);
  });

  test('hear one message in 5 s, the latest, and no countdown', async () => {
    const { server, client, line, App } = start();
    render(<App showDetails />);
    const said = hear();
    line.down = true;
    act(() => server.drop());
    await pass(2000);
    fireEvent.click(button());
    expect(said).toEqual(['Reconnecting']);
    line.down = false;
    act(() => client.retryNow());
    await pass(1000);
    server.reject('FORBIDDEN', { reason: 'upgrade' });
    act(() => server.drop());
    await pass(3999);
    expect(said).toEqual(['Reconnecting']);
    await pass(1);
    expect(said).toEqual(['Reconnecting', 'Ask for access']);
  });

  test('hear the same error again when it answers another try', async () => {
    const { server, client, App } = start();
    server.reject('FORBIDDEN', { reason: 'upgrade' });
    render(<App />);
    expect(regions()[0]?.textContent).toBe('Ask for access');
    const said = hear();
    await pass(10_000);
    server.reject('FORBIDDEN', { reason: 'upgrade' });
    const answer = server.hold();
    act(() => client.retryNow());
    await pass(100);
    expect([shown(), regions()[0]?.textContent]).toEqual(['connecting: Connecting', '']);
    act(answer);
    expect(said).toEqual(['Ask for access']);
    await pass(10_000);
    act(() => client.retryNow());
    expect(said).toEqual(['Ask for access', 'Reconnected']);
  });

  test('hear it, too, when the answer comes within the quiet after the first', async () => {
    const { server, client, App } = start();
    server.reject('FORBIDDEN', { reason: 'upgrade' });
    render(<App />);
    const said = hear();
    await pass(1000);
    server.reject('FORBIDDEN', { reason: 'upgrade' });
    act(() => client.retryNow());
    // Empty in between: the same words over themselves are no change.
    expect(regions()[0]?.textContent).toBe('');
    await pass(3999);
    expect([shown(), said]).toEqual(['stopped: Ask for access', []]);
    await pass(1);
    expect(said).toEqual(['Ask for access']);
    await pass(60_000);
    expect(said).toEqual(['Ask for access']);
  });

  test('hear nothing of what the application does', async () => {
    const { client, App } = start();
    render(<App />);
    const said = hear();
    act(() => client.disconnect());
    await pass(10_000);
    await act(() => client.connect());
    await pass(10_000);
    expect(said).toEqual([]);
  });

  test('the region leaves with the last indicator', async () => {
    const { client } = start();
    const App = ({ count }: { count: number }): ReactElement => (
      <RealtimeProvider client={client}>
        {Array.from({ length: count }, (_, i) => (
          <RealtimeIndicator key={i} />
        ))}
      </RealtimeProvider>
    );
    const { rerender } = render(<App count={2} />);
    const [region] = Array.from(regions());
    rerender(<App count={1} />);
    expect(Array.from(regions())).toEqual([region]);
    rerender(<App count={0} />);
    expect(regions().length).toBe(0);
  });
});

describe('life', () => {
  test('on a server as while connecting, and hydrated without a warning', async () => {
    const { client, App } = start();
    await client.connect();
    const app = <App showDetails />;
    const html = renderToString(app);
    const errors = vi.spyOn(console, 'error');
    const container = document.body.appendChild(document.createElement('div'));
    container.innerHTML = html;
    expect(shown()).toBe('connecting: Connecting');
    const root = await act(() => hydrateRoot(container, app));
    expect(shown()).toBe('live: Live');
    expect(errors).not.toHaveBeenCalled();
    act(() => root.unmount());
    container.remove();
  });

  test('no timer and no listener stays', async () => {
    const { server, client, App } = start();
    await client.connect();
    const before = vi.getTimerCount();
    const added = vi.spyOn(document, 'addEventListener');
    const removed = vi.spyOn(document, 'removeEventListener');
    const { unmount } = render(<App showDetails />);
    fireEvent.click(button());
    const back = cut(server);
    await pass(2500);
    expect(vi.getTimerCount()).toBeGreaterThan(before);
    act(back);
    await pass(0);
    expect(shown()).toBe('live: Live');
    // Within the message's pause and the next loss's grace, in which the status changes.
    cut(server);
    await pass(1000);
    act(() => client.retryNow());
    expect(shown()).toBe('live: Live');
    unmount();
    await pass(0);
    client.disconnect();
    const own = ({ mock }: { mock: { calls: unknown[][] } }): unknown[] => mock.calls.map(([type]) => type).filter((type) => /pointerdown|focusin|keydown/.test(type as string)).sort();
    expect(own(removed)).toEqual(own(added));
    // The server's own sweep.
    expect(vi.getTimerCount()).toBe(1);
  });

  test('another session shows its own state at once, and has a region of its own', async () => {
    const one = start();
    const two = start();
    const hold = two.server.hold();
    const App = ({ client }: { client: RealtimeClient }): ReactElement => (
      <RealtimeProvider client={client}>
        <RealtimeIndicator />
      </RealtimeProvider>
    );
    const { rerender } = render(<App client={one.client} />);
    cut(one.server);
    await pass(3000);
    expect([shown(), regions()[0]?.textContent]).toEqual(['reconnecting: Reconnecting', 'Reconnecting']);
    rerender(<App client={two.client} />);
    expect([shown(), regions().length, regions()[0]?.textContent]).toEqual(['connecting: Connecting', 1, '']);
    act(hold);
    expect(shown()).toBe('live: Live');
  });

  test('the hook alone: what a markup of one\'s own needs', async () => {
    const { server, client, line } = start();
    const seen: ReturnType<typeof useRealtimeIndicator>[] = [];
    const Own = (): null => {
      seen.push(useRealtimeIndicator({ graceMs: 0 }));
      return null;
    };
    const App = ({ enabled = true }: { enabled?: boolean }): ReactElement => <RealtimeProvider client={client} enabled={enabled} children={<Own />} />;
    const { rerender } = render(<App />);
    const latest = (): unknown => seen[seen.length - 1];
    const since = Date.now();
    expect(latest()).toMatchObject({ state: 'live', stale: false, trying: false, label: 'Live', error: null, since, attempt: 0, retryAt: null, retryNow: undefined });
    // Events don't concern it.
    const renders = seen.length;
    act(() => void server.emit('goal.paused'));
    expect(seen.length).toBe(renders);
    line.down = true;
    act(() => server.drop());
    await pass(0);
    expect(latest()).toMatchObject({ state: 'reconnecting', trying: false, attempt: 1, retryNow: client.retryNow });
    const { retryAt } = latest() as { retryAt: number };
    expect(Math.abs(retryAt - since - 1000)).toBeLessThan(2);
    await pass(1020);
    expect(latest()).toMatchObject({ state: 'reconnecting', trying: true });
    rerender(<App enabled={false} />);
    expect(latest()).toMatchObject({ state: 'off', retryNow: undefined });
  });
});
