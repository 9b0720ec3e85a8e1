// @vitest-environment jsdom
import { act, cleanup, fireEvent, render, screen } from '@testing-library/react';
import { StrictMode } from 'react';
import type { ReactElement } from 'react';
import { hydrateRoot } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import type { RealtimeClient } from '../../src/core/options.js';
import { RealtimeProvider } from '../../src/react/index.js';
import type { RealtimeProviderProps } from '../../src/react/index.js';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';
import { LiveBadge, useLiveBadge } from '../../src/ui/index.js';
import type { LiveBadgeControl, LiveBadgeProps, UseLiveBadgeOptions } from '../../src/ui/index.js';
import { pass, stillTimers } from './timers.js';

stillTimers();

const badge = (): HTMLElement | null => document.querySelector('.rt-badge');
const isShown = (): boolean => badge()?.dataset.shown === 'true';
const client = (): RealtimeClient => createTestClient(createFakeServer());
const inside = (children: ReactElement | null, props: Partial<RealtimeProviderProps> = {}): ReactElement => (
  <StrictMode>
    <RealtimeProvider {...({ client: shared, ...props } as RealtimeProviderProps)}>{children}</RealtimeProvider>
  </StrictMode>
);
let shared = client();
beforeEach(() => void (shared = client()));

describe('LiveBadge', () => {
  test('leaves after 3 s, says so once, and keeps its place', async () => {
    const onHide = vi.fn();
    render(inside(<LiveBadge onHide={onHide} />));
    expect([badge()?.textContent, isShown()]).toEqual(['Live', true]);
    await pass(2999);
    expect([isShown(), onHide.mock.calls.length]).toEqual([true, 0]);
    await pass(1);
    expect([badge()?.textContent, isShown(), onHide.mock.calls.length]).toEqual(['Live', false, 1]);
    await pass(60_000);
    expect(onHide.mock.calls.length).toBe(1);
  });

  test('another render does not prolong it, and the newest onHide is called', async () => {
    const heard: string[] = [];
    const { rerender } = render(inside(<LiveBadge onHide={() => heard.push('old')} />));
    await pass(2000);
    rerender(inside(<LiveBadge onHide={() => heard.push('new')} label="Neu" />));
    await pass(1000);
    expect([isShown(), heard]).toEqual([false, ['new']]);
  });

  test('0 = stays; false = is not there; true again = from the beginning', async () => {
    const { rerender } = render(inside(<LiveBadge autoHideDuration={0} />));
    await pass(600_000);
    expect(isShown()).toBe(true);
    const show = (show: boolean): void => rerender(inside(<LiveBadge show={show} autoHideDuration={1000} />));
    show(false);
    expect(isShown()).toBe(false);
    show(true);
    await pass(999);
    expect(isShown()).toBe(true);
    await pass(1);
    expect(isShown()).toBe(false);
    show(false);
    show(true);
    expect(isShown()).toBe(true);
  });

  test('size, class, words', () => {
    const badgeOf = (props: LiveBadgeProps, labels?: RealtimeProviderProps['labels']): (string | null | undefined)[] => {
      render(inside(<LiveBadge {...props} />, { labels }));
      const seen = [badge()?.className, badge()?.dataset.size, badge()?.textContent];
      cleanup();
      return seen;
    };
    expect(badgeOf({})).toEqual(['rt-badge', 'md', 'Live']);
    expect(badgeOf({ size: 'sm', className: 'mine' }, { live: 'Aktuell' })).toEqual(['rt-badge mine', 'sm', 'Aktuell']);
    expect(badgeOf({ size: 'lg', label: 'New' }, { live: 'Aktuell' })).toEqual(['rt-badge', 'lg', 'New']);
  });

  test('flag off: nothing; unmounted: no timer', async () => {
    const { container, rerender } = render(inside(<LiveBadge />, { enabled: false }));
    expect(container.innerHTML).toBe('');
    rerender(inside(<LiveBadge />));
    expect(isShown()).toBe(true);
    rerender(inside(null));
    await pass(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('on a server, and hydrated without a warning', async () => {
    const app = inside(<LiveBadge />);
    const container = document.body.appendChild(document.createElement('div'));
    const errors = vi.spyOn(console, 'error');
    container.innerHTML = renderToString(app);
    expect(isShown()).toBe(true);
    const root = await act(() => hydrateRoot(container, app));
    await pass(3000);
    expect(isShown()).toBe(false);
    expect(errors).not.toHaveBeenCalled();
    act(() => root.unmount());
    container.remove();
  });
});

describe('useLiveBadge', () => {
  const Row = (options: UseLiveBadgeOptions): ReactElement => {
    const { showBadge, triggerBadge, hideBadge } = useLiveBadge(options);
    return (
      <p data-testid="row" data-is={showBadge}>
        <button onClick={triggerBadge}>trigger</button>
        <button onClick={hideBadge}>hide</button>
        <LiveBadge show={showBadge} />
      </p>
    );
  };
  const is = (): string | undefined => screen.getByTestId('row').dataset.is;
  const click = (name: string): void => void fireEvent.click(screen.getByText(name));

  test('triggered and hidden by hand', async () => {
    render(inside(<Row />));
    expect([is(), isShown()]).toEqual(['false', false]);
    click('trigger');
    expect([is(), isShown()]).toEqual(['true', true]);
    click('hide');
    expect([is(), isShown()]).toEqual(['false', false]);
    click('trigger');
    await pass(2999);
    expect([is(), isShown()]).toEqual(['true', true]);
    await pass(1);
    expect([is(), isShown()]).toEqual(['false', false]);
  });

  test('triggered again: stays its whole time from then, in the hook and in the badge', async () => {
    render(inside(<Row />));
    click('trigger');
    await pass(2000);
    click('trigger');
    await pass(2999);
    expect([is(), isShown()]).toEqual(['true', true]);
    await pass(1);
    expect([is(), isShown()]).toEqual(['false', false]);
  });

  test('0 = stays until it is hidden', async () => {
    render(inside(<Row autoHideDuration={0} />));
    click('trigger');
    await pass(600_000);
    expect(is()).toBe('true');
    click('hide');
    expect(is()).toBe('false');
  });

  test.each([0, 10_000])('badgeProps: the badge stays for as long as the hook says: %i', async (autoHideDuration) => {
    const Own = (): ReactElement => {
      const { badgeProps, triggerBadge, hideBadge } = useLiveBadge({ autoHideDuration });
      return (
        <p>
          <button onClick={triggerBadge}>trigger</button>
          <button onClick={hideBadge}>hide</button>
          <LiveBadge {...badgeProps} />
        </p>
      );
    };
    render(inside(<Own />));
    expect(isShown()).toBe(false);
    click('trigger');
    await pass(9999);
    expect(isShown()).toBe(true);
    await pass(1);
    expect(isShown()).toBe(!autoHideDuration);
    click('hide');
    expect(isShown()).toBe(false);
  });

  test('another session of the same client, or none, begins without it', async () => {
    render(inside(<Row autoHideDuration={0} />));
    for (const key of ['another', null]) {
      click('trigger');
      expect(is()).toBe('true');
      act(() => shared.setSession(key));
      expect([is(), isShown()]).toEqual(['false', false]);
    }
  });

  test('the functions are the same in every render', () => {
    const seen = new Set<unknown>();
    const Own = ({ n }: { n: number }): ReactElement => {
      const { triggerBadge, hideBadge } = useLiveBadge({ autoHideDuration: n });
      seen.add(triggerBadge).add(hideBadge);
      return <p />;
    };
    const { rerender } = render(inside(<Own n={1} />));
    rerender(inside(<Own n={2} />));
    expect(seen.size).toBe(2);
  });

  test('triggered by events: of its type and entity, of others, live', async () => {
    const server = createFakeServer({ userId: 'me' });
    const mine = createTestClient(server);
    const at = async (row: ReactElement, data: { goalId: string; pausedBy: string }): Promise<string | undefined> => {
      render(inside(row, { client: mine }));
      act(() => void server.emit('goal.paused', data));
      const shown = is();
      cleanup();
      await pass(0);
      return shown;
    };
    const ana = { goalId: 'g1', pausedBy: 'ana' };
    expect(await at(<Row />, ana)).toBe('false');
    expect(await at(<Row eventType="goal.*" />, ana)).toBe('true');
    expect(await at(<Row eventType={['goal.created', 'goal.paused']} where={{ kind: 'goal', id: 'g1' }} />, ana)).toBe('true');
    expect(await at(<Row eventType="goal.*" where={{ kind: 'goal', id: 'g2' }} />, ana)).toBe('false');
    expect(await at(<Row eventType="action.*" />, ana)).toBe('false');
    const me = { goalId: 'g1', pausedBy: 'me' };
    expect(await at(<Row eventType="goal.*" />, me)).toBe('false');
    expect(await at(<Row eventType="goal.*" own />, me)).toBe('true');
  });

  test('what was missed is not live', async () => {
    const server = createFakeServer();
    const mine = createTestClient(server);
    render(inside(<Row eventType="goal.*" />, { client: mine }));
    act(() => {
      server.drop();
      server.emit('goal.paused');
    });
    await act(() => server.clock.advance(2000));
    expect([mine.getStats().replayed, is()]).toEqual([1, 'false']);
  });

  test('another session begins without it, and what calls late from the old one changes nothing', async () => {
    const other = client();
    const controls: LiveBadgeControl[] = [];
    const Own = (): ReactElement => {
      const control = useLiveBadge();
      controls.push(control);
      return <p data-testid="row" data-is={control.showBadge} />;
    };
    const { rerender } = render(inside(<Own />));
    const [old] = controls as [LiveBadgeControl];
    act(() => old.triggerBadge());
    expect(is()).toBe('true');
    rerender(inside(<Own />, { client: other }));
    expect(is()).toBe('false');
    act(() => old.triggerBadge());
    expect(is()).toBe('false');
    act(() => controls[controls.length - 1]?.triggerBadge());
    expect(is()).toBe('true');
    act(() => old.hideBadge());
    expect(is()).toBe('true');
    rerender(inside(<Own />));
    expect(is()).toBe('false');
    rerender(inside(null));
    await pass(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('flag off: triggers nothing; unmounted: no timer', async () => {
    const { rerender } = render(inside(<Row />, { enabled: false }));
    click('trigger');
    expect(is()).toBe('false');
    rerender(inside(<Row />));
    expect(is()).toBe('false');
    click('trigger');
    rerender(inside(null));
    await pass(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
