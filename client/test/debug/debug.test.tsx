// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen, within } from '@testing-library/react';
import { StrictMode } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, describe, expect, test, vi } from 'vitest';
import RealtimeDebugPanel, { RealtimeDebugPanel as named } from '../../src/debug/index.js';
import { redacted } from '../../src/debug/frames.js';
import type { WebSocketLike } from '../../src/index.js';
import { RealtimeProvider } from '../../src/react/index.js';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;

const pass = (ms = 200): Promise<unknown> => act(() => vi.advanceTimersByTimeAsync(ms));
const start = async (open = true) => {
  const server = createFakeServer({ userId: 'me' });
  /** Frames that get lost on their way. */
  const line = { losing: 0 };
  const socket = (url: string): WebSocketLike =>
    new Proxy(server.ports.socket(url), {
      get: (target, key) => Reflect.get(target, key) as unknown,
      set: (target, key, heard: unknown) => Reflect.set(target, key, key === 'onmessage' && heard ? (event: never) => line.losing-- > 0 || (heard as (event: never) => void)(event) : heard),
    });
  const client = createTestClient(server, { sessionKey: 'test-tenant/me', ports: { ...server.ports, socket } });
  // Ages are counted from this machine's clock.
  vi.useFakeTimers({ now: server.clock.now(), toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval'] });
  const view = render(
    <StrictMode>
      <RealtimeProvider client={client}>
        <RealtimeDebugPanel defaultOpen={open} />
      </RealtimeProvider>
    </StrictMode>,
  );
  await act(() => server.clock.advance(0));
  await pass();
  return { server, client, view, line };
};
const panel = (): HTMLElement => screen.getByRole('region', { name: 'Realtime debug panel' });
const press = (name: string): boolean => fireEvent.click(within(panel()).getByRole('button', { name }));
const turnTo = (name: string): boolean => fireEvent.click(screen.getByRole('tab', { name }));
const value = (name: string): string | undefined => Array.from(panel().querySelectorAll('dt')).find((dt) => dt.textContent === name)?.nextElementSibling?.textContent;
/** Texts of the frames or of the lines of the log, oldest first. */
const listed = (): string[] => Array.from(panel().querySelectorAll('li'), (li) => (li.textContent || '').replace(/^[\d:.]+/, '')).reverse();

afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

test('it is the default export too, as lazy() wants it', () => {
  expect(RealtimeDebugPanel).toBe(named);
});

test('a tab in the corner until it is opened; Escape closes it, and the focus stays', async () => {
  await start(false);
  const toggle = screen.getByRole('button', { name: 'Realtime: connected' });
  expect(toggle.getAttribute('aria-expanded')).toBe('false');
  expect(screen.queryByRole('tablist')).toBeNull();
  fireEvent.click(toggle);
  expect(toggle.getAttribute('aria-expanded')).toBe('true');
  screen.getByRole('tab', { name: 'Overview' }).focus();
  fireEvent.keyDown(screen.getByRole('tab', { name: 'Overview' }), { key: 'Escape' });
  expect(screen.queryByRole('tablist')).toBeNull();
  expect(document.activeElement).toBe(toggle);
});

test('views are turned by the arrow keys', async () => {
  await start();
  const overview = screen.getByRole('tab', { name: 'Overview' });
  overview.focus();
  fireEvent.keyDown(overview, { key: 'ArrowLeft' });
  expect(document.activeElement?.textContent).toBe('Log');
  expect(screen.getByRole('tab', { selected: true }).textContent).toBe('Log');
  expect(screen.getByRole('tabpanel', { name: 'Log' })).toBeTruthy();
  fireEvent.keyDown(screen.getByRole('tab', { name: 'Log' }), { key: 'ArrowRight' });
  expect(screen.getAllByRole('tab').map(({ tabIndex }) => tabIndex)).toEqual([0, -1, -1]);
});

test('state, session, deadlines and position', async () => {
  const { server } = await start();
  expect([value('State'), value('Server'), value('Session'), value('Tenant'), value('User')]).toEqual(['connected', 'fake.test', 'test-tenant/me', 'test-tenant', 'me']);
  expect(value('Handover due')).toMatch(/^in 1 h \d+ min$/);
  expect(value('Token ends')).toBe('in 1 h 0 min');
  expect(value('Next ping')).toMatch(/^in 7 min/);
  expect([value('Position'), value('Known head'), value('Behind by'), value('Held')]).toEqual([String(server.head), String(server.head), '0', '0']);
  server.emit('goal.paused');
  await pass();
  expect([value('Position'), value('Events received'), value('Latency')]).toEqual([String(server.head), '1', 'p50 0, p95 0, p99 0 ms']);
});

test('what went missing, and how it came back', async () => {
  const { server } = await start();
  const release = server.hold();
  act(() => server.drop());
  release();
  server.emit('goal.paused');
  server.emit('goal.paused');
  await pass();
  expect(value('State')).toMatch(/^reconnecting: waiting, attempt 1, next in \d s$/);
  expect(screen.getByRole('button', { name: 'Realtime: reconnecting' })).toBeTruthy();
  await act(() => server.clock.advance(1000));
  await pass();
  turnTo('Log');
  const head = server.head;
  expect(listed()).toEqual(expect.arrayContaining([`recovery Sent again: ${head - 1} to ${head}`]));
  act(() => server.gap('too-old'));
  await act(() => server.clock.advance(3000));
  await pass();
  expect(listed().filter((line) => line.startsWith('resync too-old: state is as of')).length).toBe(1);
  turnTo('Overview');
  expect([value('Reconnects'), value('Replayed')]).toEqual(['2', '2']);
});

test('a gap, what is held, and how it closes', async () => {
  const { server, line } = await start();
  line.losing = 1;
  const lost = server.emit('goal.paused').sequence;
  await act(async () => void server.emit('goal.resumed'));
  await pass();
  expect([value('Position'), value('Known head'), value('Behind by'), value('Held')]).toEqual([String(lost - 1), String(lost + 1), '2', `1, ${lost + 1} to ${lost + 1}`]);
  await act(() => server.clock.advance(5000));
  await pass();
  expect([value('Behind by'), value('Gaps')]).toEqual(['0', '1']);
  turnTo('Log');
  expect(listed().filter((text) => /^(gap|recovery)/.test(text))).toEqual([`gap ${lost + 1} came before ${lost}`, `recovery The gap is closed at ${lost + 1}`, `recovery Sent again: ${lost} to ${lost + 1}`]);
});

test('errors, with their code', async () => {
  const { server, client } = await start();
  server.reject('FORBIDDEN');
  act(() => server.drop());
  await act(() => server.clock.advance(2000));
  await pass();
  expect(client.getStatus().state).toBe('error');
  expect(value('State')).toBe('stopped by an error');
  expect(value('Error')).toMatch(/^FORBIDDEN/);
  turnTo('Log');
  expect(listed().some((line) => line.startsWith('error FORBIDDEN'))).toBe(true);
});

describe('traffic', () => {
  test('both directions with type and size; the payload where a frame is opened; never the token', async () => {
    const { server } = await start();
    server.emit('goal.paused', { title: 'Raise retention' });
    await pass();
    turnTo('Traffic');
    const frames = listed();
    expect(frames.map((frame) => frame.replace(/\d+ B$/, ''))).toEqual(['↑ sent auth', '↓ received auth.success', '↓ received goal.paused']);
    const size = Number(/(\d+) B$/.exec(frames[2] ?? '')?.[1]);
    expect(size).toBeGreaterThan(300);
    expect(panel().textContent).not.toContain('Raise retention');
    for (const details of panel().querySelectorAll('details')) {
      details.open = true;
      fireEvent(details, new Event('toggle'));
    }
    expect(panel().textContent).toContain('"title": "Raise retention"');
    const { token } = server.sent.find(({ action }) => action === 'auth') as { token: string };
    expect(token.length).toBeGreaterThan(10);
    expect(document.documentElement.innerHTML).not.toContain(token);
    expect(panel().textContent).toContain(`"token": "(${token.length} characters)"`);
  });

  test('the last 100 are kept, also those of before it was opened', async () => {
    const { server } = await start(false);
    for (let i = 0; i < 150; i++) server.emit('goal.paused', { title: `G${i}` });
    await pass();
    press('Realtime: connected');
    turnTo('Traffic');
    expect(listed().length).toBe(100);
  });

  test('a storm of events renders once in 100 ms', async () => {
    const { server } = await start();
    turnTo('Traffic');
    server.emit('goal.paused');
    expect(listed().length).toBe(2);
    await pass(100);
    expect(listed().length).toBe(3);
  });
});

test('secrets are taken out wherever they stand', () => {
  const jwt = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbmEifQ.c2lnbmF0dXJl';
  expect(redacted({ action: 'auth', token: 'abc', nested: [{ idToken: 'x', Authorization: 'Bearer y', text: `see ${jwt} there` }], url: 'https://realtime.purposepath.com', n: 1, none: null })).toEqual({
    action: 'auth',
    token: '(3 characters)',
    nested: [{ idToken: '(1 characters)', Authorization: '(8 characters)', text: 'see (token) there' }],
    url: 'https://realtime.purposepath.com',
    n: 1,
    none: null,
  });
});

describe('buttons', () => {
  test('drop connection: as if the line had broken, and back again', async () => {
    const { server, client } = await start();
    act(() => void press('Drop connection'));
    expect(client.getStatus().state).toBe('reconnecting');
    expect(server.connections).toBe(0);
    await pass();
    expect(within(panel()).getByRole<HTMLButtonElement>('button', { name: 'Drop connection' }).disabled).toBe(true);
    press('Retry now');
    await act(() => server.clock.advance(0));
    expect(client.getStatus().state).toBe('connected');
    expect(client.getStats().reconnects).toBe(1);
  });

  test('probe says what came of it', async () => {
    const { server } = await start();
    press('Probe');
    expect(screen.getByRole('status').textContent).toBe('Asking');
    await act(() => server.clock.advance(0));
    expect(screen.getByRole('status').textContent).toBe('Up to date');
    act(() => server.drop());
    press('Probe');
    await pass();
    expect(screen.getByRole('status').textContent).toBe('Not up to date');
  });

  test('the report holds everything but tokens and payloads', async () => {
    const { server } = await start();
    server.emit('goal.paused', { title: 'Confidential' });
    await pass();
    let copied = '';
    vi.stubGlobal('navigator', { userAgent: 'a browser', clipboard: { writeText: async (text: string) => void (copied = text) } });
    press('Copy report');
    await pass();
    vi.unstubAllGlobals();
    expect(screen.getByRole('status').textContent).toBe('Copied');
    const report = JSON.parse(copied) as { status: object; details: object; stats: object; log: unknown[]; frames: object[]; browser: string };
    expect(report).toMatchObject({ browser: 'a browser', status: { state: 'connected' }, details: { host: 'fake.test', held: 0, position: server.head }, stats: { received: 1, sequence: server.head } });
    expect(report.frames.at(-1)).toMatchObject({ direction: 'in', type: 'goal.paused', sequence: server.head });
    expect(report.log.length).toBeGreaterThan(0);
    const { token } = server.sent.find(({ action }) => action === 'auth') as { token: string };
    expect(copied).not.toContain(token);
    expect(copied).not.toContain('Confidential');
  });

  test('without a clipboard the report is there to be copied by hand', async () => {
    await start();
    expect(navigator.clipboard).toBeUndefined();
    press('Copy report');
    await pass();
    expect(JSON.parse(screen.getByRole<HTMLTextAreaElement>('textbox', { name: 'Report' }).value)).toMatchObject({ status: { state: 'connected' } });
  });
});

test('with the flag off it says so; on a server there is nothing', async () => {
  vi.useFakeTimers();
  const off = (
    <RealtimeProvider url="wss://r.test" getToken={() => null} enabled={false}>
      <RealtimeDebugPanel defaultOpen />
    </RealtimeProvider>
  );
  expect(renderToString(off)).toBe('');
  render(off);
  expect(screen.getByRole('button', { name: 'Realtime: off' })).toBeTruthy();
  expect(panel().textContent).toContain('The provider’s flag is off.');
});

test('mounted late, it knows the state as it is, before anything happens', async () => {
  const server = createFakeServer();
  const client = createTestClient(server);
  await client.connect();
  vi.useFakeTimers();
  render(
    <RealtimeProvider client={client}>
      <RealtimeDebugPanel defaultOpen />
    </RealtimeProvider>,
  );
  expect([value('Server'), value('Known head')]).toEqual(['fake.test', String(server.head)]);
});

test('what it heard stays when it is mounted anew, and unmounted it hears nothing', async () => {
  const { server, client, view } = await start();
  view.unmount();
  server.emit('goal.paused');
  render(
    <RealtimeProvider client={client}>
      <RealtimeDebugPanel defaultOpen />
    </RealtimeProvider>,
  );
  turnTo('Traffic');
  expect(listed().some((frame) => frame.includes('auth.success'))).toBe(true);
  expect(listed().some((frame) => frame.includes('goal.paused'))).toBe(false);
});
