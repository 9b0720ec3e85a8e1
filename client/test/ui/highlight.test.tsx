// @vitest-environment jsdom
import { act, cleanup, render } from '@testing-library/react';
import { StrictMode } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { RealtimeClient } from '../../src/core/options.js';
import { RealtimeProvider } from '../../src/react/index.js';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';
import { HighlightWrapper, useHighlight } from '../../src/ui/index.js';
import type { HighlightWrapperProps } from '../../src/ui/index.js';
import { pass, stillTimers } from './timers.js';

stillTimers();

const card = (): HTMLElement => document.querySelector('.card') as HTMLElement;
const how = (element: HTMLElement = card()): string => element.dataset.rtHighlight ?? 'none';
const start = () => {
  const server = createFakeServer({ userId: 'me' });
  return { server, client: createTestClient(server) };
};
const inside = (client: RealtimeClient, children: ReactNode, enabled = true): ReactElement => (
  <StrictMode>
    <RealtimeProvider client={client} enabled={enabled}>
      {children}
    </RealtimeProvider>
  </StrictMode>
);
const Card = (props: HighlightWrapperProps): ReactElement => <HighlightWrapper className="card" {...props} />;
const goal = (id: string) => ({ kind: 'goal', id }) as const;
const ana = (goalId: string) => ({ goalId, pausedBy: 'ana' });

test('an event about its entity highlights it for 1.6 s, and its children do not render again', async () => {
  const { server, client } = start();
  let renders = 0;
  const Child = (): ReactElement => {
    renders++;
    return <b>Goal</b>;
  };
  render(inside(client, <Card entity={goal('g1')} children={<Child />} />));
  const rendered = renders;
  act(() => void server.emit('goal.paused', ana('g2')));
  expect(how()).toBe('none');
  act(() => void server.emit('goal.paused', ana('g1')));
  expect(how()).toBe('full');
  await pass(1599);
  expect(how()).toBe('full');
  await pass(1);
  expect([how(), renders]).toEqual(['none', rendered]);
});

test('only events of its type, of others, but missed ones, too', async () => {
  const { server, client } = start();
  const at = async (props: HighlightWrapperProps, emit: () => void): Promise<string> => {
    render(inside(client, <Card {...props} />));
    act(emit);
    await act(() => server.clock.advance(2000));
    const seen = how();
    cleanup();
    return seen;
  };
  const paused = (pausedBy: string) => () => void server.emit('goal.paused', { goalId: 'g1', pausedBy });
  expect(await at({}, paused('ana'))).toBe('none');
  expect(await at({ eventType: 'goal.*' }, paused('ana'))).toBe('full');
  expect(await at({ eventType: ['goal.created', 'goal.resumed'], entity: goal('g1') }, paused('ana'))).toBe('none');
  expect(await at({ entity: goal('g1') }, paused('me'))).toBe('none');
  expect(await at({ entity: goal('g1'), own: true }, paused('me'))).toBe('full');
  const missed = (): void => {
    server.drop();
    paused('ana')();
  };
  expect(await at({ entity: goal('g1') }, missed)).toBe('full');
});

test('a change of the trigger highlights it, the first value and other renders do not', async () => {
  const { client } = start();
  const { rerender } = render(inside(client, <Card trigger={1} />));
  expect(how()).toBe('none');
  rerender(inside(client, <Card trigger={1} title="new" />));
  expect(how()).toBe('none');
  rerender(inside(client, <Card trigger={2} />));
  expect(how()).toBe('full');
  await pass(1600);
  expect(how()).toBe('none');
});

/** What jsdom lacks: it notes what is animated. */
const animations = (reduced = false) => {
  const begun: { element: Element; is: string; options: unknown; playState: string; from: unknown }[] = [];
  vi.stubGlobal('matchMedia', () => ({ matches: reduced }));
  Element.prototype.animate = function (keyframes, options) {
    const is = JSON.stringify(keyframes).includes('boxShadow') ? 'bar' : 'fill';
    const [{ offset: from = '' } = {}] = keyframes as Keyframe[];
    const animation = { element: this, is, options, playState: 'running', from, cancel: () => void (animation.playState = 'idle') };
    begun.push(animation);
    return animation as unknown as Animation;
  };
  onTestFinished(() => {
    vi.unstubAllGlobals();
    delete (Element.prototype as Partial<Element>).animate;
  });
  return { begun, running: () => begun.filter(({ playState }) => playState === 'running').map(({ is, from }) => `${is} ${String(from)}`) };
};

test('again while it runs: the whole time from then, and one bar and one background, from full colour', async () => {
  const { server, client } = start();
  const { begun, running } = animations();
  render(inside(client, <Card entity={goal('g1')} />));
  act(() => void server.emit('goal.paused', ana('g1')));
  expect(running()).toEqual(['bar ', 'fill 0.075']);
  // Its own shadow stays.
  expect(begun[0]?.options).toEqual({ duration: 1600, composite: 'add' });
  await pass(1000);
  act(() => void server.emit('goal.resumed', { goalId: 'g1' }));
  expect(running()).toEqual(['bar ', 'fill 0']);
  await pass(1599);
  expect([how(), running().length]).toEqual(['full', 2]);
  await pass(1);
  expect([how(), running().length]).toEqual(['none', 0]);
});

test('where motion is reduced: the bar alone', () => {
  const { server, client } = start();
  const { running } = animations(true);
  render(inside(client, <Card entity={goal('g1')} />));
  act(() => void server.emit('goal.paused', ana('g1')));
  expect(running()).toEqual(['bar ']);
});

test('the fifth within a second takes the background from all of them', () => {
  const { server, client } = start();
  const { running } = animations();
  const ids = ['g1', 'g2', 'g3', 'g4', 'g5'];
  render(inside(client, ids.map((id) => <Card key={id} entity={goal(id)} />)));
  ids.forEach((id) => act(() => void server.emit('goal.paused', ana(id))));
  expect(running()).toEqual(ids.map(() => 'bar '));
});

test('duration: its own, or that of the CSS variable', async () => {
  const { client } = start();
  const lasts = async (props: HighlightWrapperProps): Promise<number> => {
    const { rerender } = render(inside(client, <Card {...props} trigger={1} />));
    rerender(inside(client, <Card {...props} trigger={2} />));
    let ms = 0;
    for (; how() === 'full'; ms += 100) await pass(100);
    cleanup();
    return ms;
  };
  expect(await lasts({ duration: 500 })).toBe(500);
  expect(await lasts({ style: { '--rt-highlight': '800ms' } as object })).toBe(800);
  expect(await lasts({ style: { '--rt-highlight': '2.5s' } as object })).toBe(2500);
});

test('five within a second on the whole page: the bar alone, on all of them; four, or one five times: no', async () => {
  const { server, client } = start();
  render(
    inside(
      client,
      ['g1', 'g2', 'g3', 'g4', 'g5'].map((id) => <Card key={id} entity={goal(id)} />),
    ),
  );
  const all = (): string[] => Array.from(document.querySelectorAll<HTMLElement>('.card'), how);
  const change = (...ids: string[]): void => act(() => ids.forEach((id) => void server.emit('goal.paused', ana(id))));
  change('g1', 'g1', 'g1', 'g1', 'g1', 'g2', 'g3', 'g4');
  expect(all()).toEqual(['full', 'full', 'full', 'full', 'none']);
  await pass(999);
  change('g5');
  expect(all()).toEqual(['bar', 'bar', 'bar', 'bar', 'bar']);
  await pass(2000);
  change('g1', 'g2', 'g3', 'g4');
  await pass(1000);
  change('g5');
  expect(all()).toEqual(['full', 'full', 'full', 'full', 'full']);
});

test('another entity in the same element: the highlight was the old one\'s, and a value that differs is no change', () => {
  const { server, client } = start();
  const { rerender } = render(inside(client, <Card entity={goal('g1')} trigger={1} />));
  act(() => void server.emit('goal.paused', ana('g1')));
  expect(how()).toBe('full');
  rerender(inside(client, <Card entity={goal('g2')} trigger={2} />));
  expect(how()).toBe('none');
  act(() => void server.emit('goal.paused', ana('g1')));
  expect(how()).toBe('none');
  act(() => void server.emit('goal.paused', ana('g2')));
  expect(how()).toBe('full');
});

test('another session: gone, and its values are no change', () => {
  const one = start();
  const two = start();
  const { rerender } = render(inside(one.client, <Card entity={goal('g1')} trigger={1} />));
  act(() => void one.server.emit('goal.paused', ana('g1')));
  expect(how()).toBe('full');
  rerender(inside(two.client, <Card entity={goal('g1')} trigger={2} />));
  expect(how()).toBe('none');
  act(() => void two.server.emit('goal.paused', ana('g1')));
  expect(how()).toBe('full');
});

test('another session of the same client, or none: gone, and its values are no change', async () => {
  const { server, client } = start();
  const { running } = animations();
  const { rerender } = render(inside(client, <Card entity={goal('g1')} trigger={1} />));
  act(() => void server.emit('goal.paused', ana('g1')));
  expect([how(), running().length]).toEqual(['full', 2]);
  act(() => client.setSession(null));
  expect([how(), running().length]).toEqual(['none', 0]);
  act(() => client.setSession('another'));
  rerender(inside(client, <Card entity={goal('g1')} trigger={2} />));
  expect(how()).toBe('none');
  rerender(inside(client, <Card entity={goal('g1')} trigger={3} />));
  expect(how()).toBe('full');
});

test('flag off: only its element', () => {
  const { client } = start();
  const { rerender } = render(inside(client, <Card trigger={1} />, false));
  rerender(inside(client, <Card trigger={2} />, false));
  expect(how()).toBe('none');
  rerender(inside(client, <Card trigger={3} />));
  expect(how()).toBe('none');
});

test('any element, with whatever it takes; a table row', () => {
  const { server, client } = start();
  const clicked = vi.fn();
  render(
    inside(
      client,
      <table>
        <tbody>
          <Card as="tr" tone="warning" entity={goal('g1')} id="row" style={{ height: 32 }} onClick={clicked}>
            <td>Goal</td>
          </Card>
        </tbody>
      </table>,
    ),
  );
  act(() => void server.emit('goal.paused', ana('g1')));
  card().click();
  expect([card().tagName, card().id, card().style.height, card().dataset.rtTone, how(), clicked.mock.calls.length]).toEqual(['TR', 'row', '32px', 'warning', 'full', 1]);
  expect(card().parentElement?.outerHTML).toContain('<td>Goal</td>');
});

test('the hook alone, on an element that comes and goes: no timer stays', async () => {
  const { server, client } = start();
  const Row = ({ there }: { there: boolean }): ReactElement | null => {
    const ref = useHighlight<HTMLLIElement>({ entity: goal('g1') });
    return there ? <li ref={ref} className="card" /> : null;
  };
  const { rerender, unmount } = render(inside(client, <Row there={false} />));
  const before = vi.getTimerCount();
  act(() => void server.emit('goal.paused', ana('g1')));
  expect(vi.getTimerCount()).toBe(before);
  rerender(inside(client, <Row there />));
  expect(how()).toBe('none');
  act(() => void server.emit('goal.paused', ana('g1')));
  expect(how()).toBe('full');
  rerender(inside(client, <Row there={false} />));
  expect(vi.getTimerCount()).toBe(before);
  rerender(inside(client, <Row there />));
  act(() => void server.emit('goal.paused', ana('g1')));
  unmount();
  await pass(0);
  expect(vi.getTimerCount()).toBe(0);
});

test('on a server, and hydrated without a warning', async () => {
  const { client } = start();
  const app = inside(client, <Card as="section" entity={goal('g1')} trigger={1} tone="danger" children="Goal" />);
  const html = renderToString(app);
  expect(html).toBe('<section class="card" data-rt-tone="danger">Goal</section>');
  const errors = vi.spyOn(console, 'error');
  const container = document.body.appendChild(document.createElement('div'));
  container.innerHTML = html;
  const root = await act(() => hydrateRoot(container, app));
  expect([errors.mock.calls, how()]).toEqual([[], 'none']);
  act(() => root.unmount());
  container.remove();
});
