// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { StrictMode } from 'react';
import type { ReactElement } from 'react';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { RealtimeProvider } from '../../src/react/index.js';
import type { RealtimeProviderProps } from '../../src/react/index.js';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';
import type { ToastOptions } from '../../src/toasts/index.js';
import { EventTypes } from '../../src/index.js';
import { samples } from '../../src/generated/samples.js';

// jsdom has no pointer capture, which sonner asks for.
HTMLElement.prototype.setPointerCapture = () => {};

// The real one, in both versions that applications may have.
describe.each(['sonner', 'sonner-1'])('%s', async (version) => {
  vi.resetModules();
  vi.doMock('sonner', () => vi.importActual(version));
  const { toast, Toaster } = await import('sonner');
  const { realtimeToasts, useRealtimeToasts, wireRealtimeToasts } = await import('../../src/toasts/index.js');

  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'requestAnimationFrame', 'cancelAnimationFrame'] }));
  afterEach(async () => {
    stops.splice(0).forEach((stop) => stop());
    toast.dismiss();
    await pass(1000);
    cleanup();
    vi.useRealTimers();
    vi.restoreAllMocks();
  });
  const stops: (() => void)[] = [];
  const pass = (ms = 50): Promise<unknown> => act(() => vi.advanceTimersByTimeAsync(ms));
  const cards = (): HTMLElement[] => Array.from(document.querySelectorAll<HTMLElement>('.rt-toast:not([data-removed=true])')).reverse();
  /** What is shown: title and the line below, oldest first. */
  const shown = async (): Promise<string[]> => {
    await pass();
    return cards().map((card) => Array.from(card.querySelectorAll('.rt-toast-words > *'), ({ textContent }) => textContent).join(' | '));
  };
  const start = async (options?: ToastOptions) => {
    render(<Toaster />);
    const server = createFakeServer({ userId: 'me' });
    const client = createTestClient(server);
    const stop = wireRealtimeToasts(client, options);
    stops.push(stop);
    await client.connect();
    return { server, client, stop };
  };
  const tone = (): string | undefined => /rt-toast-(\w+)/.exec(document.querySelector('.rt-toast svg')?.getAttribute('class') ?? '')?.[1];

  test('one function for every type: a title, and in the line below entity and actor, as far as they have names', async () => {
    render(<Toaster />);
    realtimeToasts.issueCreated({ ...samples['issue.created'], actorName: 'Ana', title: 'It breaks' });
    realtimeToasts.actionStatusChanged({ ...samples['action.status_changed'], actorName: undefined, title: undefined } as never);
    realtimeToasts.goalActivityCreated({ ...samples['goal.activity.created'], goalTitle: 'Less churn', title: 'A note', actorName: 'Ben' });
    expect(await shown()).toEqual(['Issue reported | It breaks · by Ana', 'Action set to in progress', 'New decision | Less churn · by Ben']);
    realtimeToasts.goalPaused(samples['goal.paused'], { resolveEntity: ({ id }) => ({ title: 'G', href: '/' + id }), resolveUser: () => ({ name: 'Cy' }), labels: { toastActor: (name) => 'par ' + name } });
    expect((await shown()).pop()).toBe('Goal paused | G · par Cy');
    expect(screen.getByRole('link').getAttribute('href')).toBe('/' + samples['goal.paused'].goalId);
    expect(Object.keys(realtimeToasts).length).toBe(Object.keys(EventTypes).length);
  });

  test.each(Object.values(EventTypes))('%s says no id', async (type) => {
    const { server } = await start();
    server.emit(type, { actorName: '', title: '', goalTitle: '' } as object);
    const [text = ''] = await shown();
    expect(text).toMatch(/^[A-Z][\w %:.]+$/);
    for (const [key, value] of Object.entries(samples[type])) if (/(Id|By|Assignee)$/.test(key)) expect(document.body.innerHTML).not.toContain(value);
  });

  test.each([
    ['goal.completed', {}, 'success'],
    ['action.completed', {}, 'success'],
    ['goal.paused', {}, 'warning'],
    ['issue.created', { severity: 'high' }, 'warning'],
    ['issue.created', { severity: 'low' }, 'info'],
    ['issue.created', { severity: 'critical' }, 'danger'],
    ['action.reassigned', {}, 'info'],
  ] as const)('%s %j is %s', async (type, data, expected) => {
    const { server } = await start();
    server.emit(type, data);
    await pass();
    expect(tone()).toBe(expected);
  });

  test('own changes none, and only the types that are asked for', async () => {
    const { server } = await start({ only: ['goal.paused'] });
    server.emit('goal.paused', { pausedBy: 'me', actorName: 'Me' });
    server.emit('goal.resumed', { resumedBy: 'you' });
    server.emit('goal.paused', { pausedBy: 'you', actorName: 'You', title: 'G' });
    expect(await shown()).toEqual(['Goal paused | G · by You']);
  });

  test('it leaves after 5 s, and time does not count while somebody has the focus in it or nobody sees the page', async () => {
    const { server } = await start({ resolveEntity: () => ({ title: 'G', href: '#g' }) });
    server.emit('goal.paused');
    await pass();
    const visibility = vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    await pass(20_000);
    visibility.mockRestore();
    act(() => screen.getByRole('link').focus());
    await pass(20_000);
    expect((await shown()).length).toBe(1);
    act(() => screen.getByRole('link').blur());
    await pass(4500);
    expect((await shown()).length).toBe(1);
    await pass(750);
    expect(await shown()).toEqual([]);
  });

  test('it stays while it is pointed at', async () => {
    const { server } = await start();
    server.emit('goal.paused');
    await pass();
    // jsdom has no pointer, so the list says what a browser's would.
    const list = document.querySelector('ol') as HTMLElement;
    const matches = vi.spyOn(list, 'matches').mockReturnValue(true);
    await pass(20_000);
    expect((await shown()).length).toBe(1);
    matches.mockRestore();
    await pass(5500);
    expect(await shown()).toEqual([]);
  });

  test('at most three at a time; the oldest leaves', async () => {
    const { server } = await start();
    for (const title of ['A', 'B', 'C', 'D']) {
      server.emit('goal.paused', { title, actorName: '' });
      await pass(1001);
    }
    expect(await shown()).toEqual(['Goal paused | B', 'Goal paused | C', 'Goal paused | D']);
  });

  test('a critical issue stays until it is dismissed, whatever else comes', async () => {
    const { server } = await start({ labels: { dismiss: 'Schließen' } });
    server.emit('issue.created', { severity: 'critical', title: 'Down', actorName: '' });
    for (let i = 0; i < 4; i++) {
      await pass(1001);
      server.emit('goal.paused');
    }
    await pass(60_000);
    expect(await shown()).toEqual(['Issue reported | Down']);
    fireEvent.click(screen.getByRole('button', { name: 'Schließen' }));
    expect(await shown()).toEqual([]);
  });

  test('more than three in a second become one, which counts on once a second', async () => {
    const { server } = await start();
    for (let i = 0; i < 3; i++) server.emit('goal.paused');
    expect((await shown()).length).toBe(3);
    server.emit('goal.paused');
    server.emit('goal.paused');
    expect(await shown(), 'gathered').toEqual([]);
    await pass(500);
    expect(await shown()).toEqual(['5 updates']);
    server.emit('issue.created', { severity: 'critical' });
    expect(await shown()).toEqual(['5 updates']);
    await pass(1000);
    expect(await shown()).toEqual(['6 updates | 1 critical issue']);
    await pass(1000);
    server.emit('goal.resumed', { actorName: 'Ana', title: 'G' });
    expect(await shown()).toEqual(['6 updates | 1 critical issue', 'Goal resumed | G · by Ana']);
    await pass(60_000);
    expect(await shown()).toEqual(['6 updates | 1 critical issue']);
  });

  test('one that counts on stays for 5 s after its last words', async () => {
    const { server } = await start();
    for (let i = 0; i < 4; i++) server.emit('goal.paused');
    for (let i = 0; i < 10; i++) {
      await pass(900);
      server.emit('goal.paused');
    }
    await pass(4500);
    expect(await shown()).toEqual(['14 updates']);
    await pass(2000);
    expect(await shown()).toEqual([]);
  });

  test('a clock that is set back groups nothing', async () => {
    const { server } = await start();
    for (let i = 0; i < 3; i++) server.emit('goal.paused', { title: 'G', actorName: '' });
    await pass(2000);
    vi.setSystemTime(Date.now() - 3_600_000);
    server.emit('goal.resumed', { title: 'G', actorName: '' });
    await pass(600);
    expect((await shown()).pop()).toBe('Goal resumed | G');
  });

  test('what was missed: one summary, which stays where it holds a critical issue', async () => {
    const { server } = await start({ labels: { toastSummary: (n, away) => `${n} Neuigkeiten${away ? ', verpasst' : ''}` } });
    server.drop();
    for (let i = 0; i < 11; i++) server.emit('goal.paused');
    server.emit('issue.created', { severity: 'critical' });
    await server.clock.advance(1000);
    await pass(500);
    expect(await shown()).toEqual(['12 Neuigkeiten, verpasst | 1 critical issue']);
    await pass(60_000);
    expect((await shown()).length).toBe(1);
  });

  test('one thing missed is that thing; or each, or none', async () => {
    const missed = async (replayed: 'summary' | 'each' | 'none', count: number): Promise<string[]> => {
      const { server, stop } = await start({ replayed });
      server.drop();
      for (let i = 0; i < count; i++) server.emit('goal.paused', { title: 'G', actorName: '' });
      await server.clock.advance(1000);
      await pass(500);
      const texts = await shown();
      stop();
      await pass(1000);
      cleanup();
      return texts;
    };
    expect(await missed('summary', 1)).toEqual(['Goal paused | G']);
    expect(await missed('each', 2)).toEqual(['Goal paused | G', 'Goal paused | G']);
    expect(await missed('none', 2)).toEqual([]);
  });

  test('a hidden page stays quiet, unless asked otherwise', async () => {
    const { server } = await start();
    const { server: loud } = await start({ when: 'always' });
    vi.spyOn(document, 'visibilityState', 'get').mockReturnValue('hidden');
    server.emit('goal.paused', { title: 'quiet' });
    loud.emit('goal.paused', { title: 'loud', actorName: '' });
    expect((await shown()).filter((text) => text.includes('quiet'))).toEqual([]);
    expect((await shown()).length).toBeGreaterThan(0);
  });

  test('a new session takes the toasts of the old one away, also those to come, and so does the end', async () => {
    const { server, client, stop } = await start();
    server.emit('issue.created', { severity: 'critical' });
    for (let i = 0; i < 5; i++) server.emit('goal.paused');
    await pass(500);
    expect((await shown()).length).toBe(1);
    server.emit('goal.paused');
    client.setSession('another');
    expect(await shown()).toEqual([]);
    await pass(5000);
    expect(await shown()).toEqual([]);
    server.emit('goal.paused');
    expect((await shown()).length).toBe(1);
    stop();
    expect(await shown()).toEqual([]);
  });

  test.each([
    ['signed out', null, undefined],
    ['a session that goes on from a stored position', 'another', { initialSequence: 5 }],
  ])('%s: none of the old session stays, or comes', async (_, key, options) => {
    const { server, client } = await start();
    server.emit('issue.created', { severity: 'critical' });
    await pass(1100);
    for (let i = 0; i < 5; i++) server.emit('goal.paused');
    expect((await shown()).length).toBeGreaterThan(0);
    client.setSession(key, options);
    expect(await shown()).toEqual([]);
    await pass(5000);
    expect(await shown()).toEqual([]);
  });

  test('a link to the entity: followed by the browser or the router, and never by a swipe', async () => {
    const navigate = vi.fn();
    const { server } = await start({ navigate, resolveEntity: ({ kind, id }) => ({ title: 'G', href: `/${kind}s/${id}` }) });
    server.emit('goal.paused', { goalId: 'g1', actorName: 'Ana' });
    await pass();
    const link = screen.getByRole('link', { name: /^Goal paused ?G · by Ana$/ });
    expect(link.getAttribute('href')).toBe('/goals/g1');

    fireEvent.pointerDown(link, { clientX: 10, clientY: 10 });
    expect(fireEvent.click(link, { detail: 1, clientX: 80, clientY: 10 }), 'a swipe goes nowhere').toBe(false);
    expect(fireEvent.click(link, { detail: 1, clientX: 10, clientY: 10, metaKey: true }), 'a new tab is the browser’s').toBe(true);
    expect(navigate).not.toHaveBeenCalled();
    expect((await shown()).length).toBe(1);

    expect(fireEvent.click(link, { detail: 0 }), 'Enter').toBe(false);
    expect(navigate.mock.calls).toEqual([['/goals/g1']]);
    expect(await shown()).toEqual([]);
  });

  test('it is announced once: by sonner’s live region, with none inside', async () => {
    const { server } = await start();
    server.emit('issue.created', { severity: 'critical' });
    await pass();
    const live = '[aria-live], [role=status], [role=alert]';
    const [card] = cards();
    expect(card?.querySelectorAll(live).length).toBe(0);
    let regions = 0;
    for (let node = card?.closest(live); node; node = node.parentElement?.closest(live)) regions++;
    expect(regions).toBe(1);
    expect(card?.querySelector('svg')?.getAttribute('aria-hidden')).toBe('true');
  });

  const hooked = (props: Partial<RealtimeProviderProps>, options?: ToastOptions) => {
    const server = createFakeServer();
    const client = createTestClient(server);
    const App = (): ReactElement => {
      useRealtimeToasts(options);
      return <Toaster />;
    };
    render(
      <StrictMode>
        <RealtimeProvider {...(props as object)} client={client}>
          <App />
        </RealtimeProvider>
      </StrictMode>,
    );
    return server;
  };

  test('the hook knows names, links and words of the provider', async () => {
    const server = hooked({
      resolveUser: (id) => (id === 'u7' ? { name: 'Ben' } : undefined),
      resolveEntity: ({ id }) => ({ title: 'Goal ' + id, href: '#' + id }),
      labels: { toastActor: (name) => `von ${name}`, toastTitle: () => 'Ziel pausiert' },
    });
    server.emit('goal.paused', { goalId: 'g1', pausedBy: 'u7' });
    expect(await shown()).toEqual(['Ziel pausiert | Goal g1 · von Ben']);
    expect(screen.getByRole('link').getAttribute('href')).toBe('#g1');
    expect((await shown()).length, 'once, under StrictMode too').toBe(1);
  });

  test('the hook’s own options come before the provider’s', async () => {
    const server = hooked({ labels: { toastActor: (name) => `von ${name}` }, resolveEntity: () => ({ title: 'P' }) }, { labels: { toastActor: (name) => `par ${name}` }, resolveEntity: () => ({ title: 'O' }) });
    server.emit('goal.paused', { actorName: 'Ana' });
    expect(await shown()).toEqual(['Goal paused | O · par Ana']);
  });
});
