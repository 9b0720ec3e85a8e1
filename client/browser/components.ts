import { describe, expect } from 'vitest';
import { violations } from './axe.js';
import type { Line } from './line.js';
import type { Test } from './playing.js';
import type { Stage } from './stage.js';
import type { View } from './view.js';

/** The goal of the catalogue's samples. */
const goalId = 'goal-4f1c';

/** Renders the page with all components and waits for its connection. */
const board = async (view: View, stage: Stage, line: Line): Promise<void> => {
  await view.evaluate((to) => window.harness.render(to), { url: line.url, login: stage.login('bo', line), goalId });
  await shows(view, '.rt-pill', 'Live');
};

const text = (view: View, selector: string): Promise<string> => view.evaluate((of) => document.querySelector(of)?.textContent ?? '', selector);
const count = (view: View, selector: string): Promise<number> => view.evaluate((of) => document.querySelectorAll(of).length, selector);

/** Waits until the first element that a selector finds says this. */
const shows = (view: View, selector: string, words: string): Promise<void> => expect.poll(() => text(view, selector)).toContain(words);

/** Waits until a selector finds something. */
const finds = (view: View, selector: string): Promise<void> => expect.poll(() => count(view, selector)).toBeGreaterThan(0);

/** Presses the Tab key until it is on an element. */
const tabTo = async (view: View, selector: string): Promise<void> => {
  for (let times = 0; times < 10 && !(await count(view, `${selector}:focus`)); times++) await view.press('Tab');
  expect(await count(view, `${selector}:focus`)).toBe(1);
};

/** What the components show and say on a page of an application. */
export const components = (test: Test): unknown =>
  describe('components', () => {
    test('show an event: in a toast, a badge, a highlight and the feed', async ({ stage, view }) => {
      await board(view, stage, await stage.line());
      await stage.publish('goal.completed');
      await Promise.all([
        shows(view, '[data-sonner-toast]', 'Goal completedReduce churn · by Ana Berg'),
        finds(view, '.rt-badge[data-shown]'),
        finds(view, '#goal[data-rt-highlight]'),
        shows(view, '.rt-feed-row', 'Ana Berg completed Reduce churn'),
      ]);
      expect(await violations(view)).toEqual([]);
    });

    test('say that the connection is lost, that it is back, and what was missed', async ({ stage, view }) => {
      const line = await stage.line();
      const witness = await stage.witness();
      await board(view, stage, line);
      line.cut();
      await stage.publishTo([witness], 3);
      await shows(view, '.rt-pill', 'Reconnecting');
      await Promise.all([shows(view, '[role=status]', 'Reconnecting'), shows(view, '.rt-feed-paused', 'Updates paused')]);
      expect(await violations(view)).toEqual([]);
      line.mend();
      await Promise.all([
        shows(view, '.rt-pill', 'Live'),
        shows(view, '[role=status]', 'Reconnected'),
        shows(view, '[data-sonner-toast]', '3 updates while you were away'),
        shows(view, '.rt-feed-missed', 'Missed while you were away · 3'),
      ]);
      expect([await count(view, '[role=status]'), await count(view, '.rt-feed-paused')]).toEqual([1, 0]);
    });

    test('are used with a keyboard: the panel of the indicator', async ({ stage, view }) => {
      await board(view, stage, await stage.line());
      await view.press('Tab');
      for (const key of ['Enter', ' '] as const) {
        expect(await count(view, '.rt-pill:focus')).toBe(1);
        await view.press(key);
        await shows(view, '.rt-panel', 'Changes appear here as they happen.');
        await view.press('Escape');
        await expect.poll(() => count(view, '.rt-panel')).toBe(0);
      }
      expect(await count(view, '.rt-pill:focus')).toBe(1);
    });

    test('are used with a keyboard: the feed, entry by entry, and a toast', async ({ stage, view }) => {
      await board(view, stage, await stage.line());
      for (const type of ['goal.paused', 'goal.resumed', 'issue.created'] as const) await stage.publish(type, { severity: 'critical', goalId });
      await expect.poll(() => count(view, '.rt-feed-row')).toBe(3);
      await tabTo(view, '.rt-feed-row');
      const position = (): Promise<string | undefined> => view.evaluate(() => document.activeElement?.getAttribute('aria-posinset') ?? undefined);
      const positions = [await position()];
      for (const key of ['PageDown', 'PageDown', 'PageUp'] as const) {
        await view.press(key);
        positions.push(await position());
      }
      expect(positions).toEqual(['1', '2', '3', '2']);
      // A critical issue stays until it is dismissed.
      await tabTo(view, '.rt-toast-close');
      await view.press('Enter');
      await expect.poll(() => count(view, '.rt-toast-close')).toBe(0);
    });

    test('have roles and names that screen readers say', async ({ stage, view }) => {
      await board(view, stage, await stage.line());
      await stage.publish('issue.created', { severity: 'critical', goalId });
      await finds(view, '.rt-toast-close');
      await finds(view, '.rt-feed-row');
      await view.click('.rt-pill');
      await finds(view, '.rt-panel');
      for (const [role, name] of [
        ['button', 'Connection: Live'],
        ['group', 'Connection'],
        ['feed', 'Activity'],
        ['article', 'Ana Berg reported Reduce churn'],
        ['button', 'Dismiss'],
      ] as const)
        expect([role, name, await view.named(role, name)]).toEqual([role, name, 1]);
      expect(await violations(view)).toEqual([]);
    });
  });
