import { describe, expect, inject } from 'vitest';
import type { Test } from './playing.js';

/** What reaches an application, and when. */
export const events = (test: Test): unknown =>
  describe('events', () => {
    test('the first one arrives with its type', async ({ stage, tab }) => {
      const line = await stage.line();
      await tab.connect(stage.login('ana', line));
      const id = await stage.publish('goal.created', { title: 'First of all' });
      await expect.poll(() => tab.ids()).toEqual([id]);
      expect((await tab.told()).titles).toEqual(['First of all']);
      expect(await tab.states()).toEqual(['connecting', 'connected']);
      expect(line.opened).toBe(1);
    });

    test('that were missed while the connection was lost come with the next one, in order and once', async ({ stage, tab }) => {
      const line = await stage.line();
      const witness = await stage.witness();
      await tab.connect(stage.login('ana', line));
      const before = await stage.publishTo([tab, witness], 3);
      line.cut();
      await expect.poll(async () => (await tab.states()).at(-1)).toBe('reconnecting');
      const missed = await stage.publishTo([witness], 5);
      line.mend();
      await expect.poll(() => tab.ids()).toHaveLength(before.length + missed.length);
      expect((await tab.told()).events.map(({ replayed }) => replayed)).toEqual([...before.map(() => false), ...missed.map(() => true)]);
      await stage.expectWhole([...before, ...missed], tab);
      expect(await tab.states()).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
      expect(line.open).toBe(1);
    });

    test('that went into a dead line are had when somebody asks', async ({ stage, tab, view }) => {
      const line = await stage.line();
      const witness = await stage.witness();
      await tab.connect(stage.login('ana', line), { ping: { timeoutMs: 1000 } });
      line.silence();
      const missed = await stage.publishTo([witness], 3);
      expect(await tab.ids()).toEqual([]);
      expect(await view.evaluate(() => window.harness.client.probe())).toBe(false);
      await expect.poll(() => tab.ids()).toHaveLength(missed.length);
      await stage.expectWhole(missed, tab);
      expect(line.opened).toBe(2);
    });

    test('that were missed in the back-forward cache are had when the page comes back from it, on a new socket', async ({ stage, tab, view, skip }) => {
      skip(view.name.startsWith('Firefox'), 'Firefox caches no page that had an open socket');
      const line = await stage.line();
      const witness = await stage.witness();
      await tab.connect(stage.login('ana', line));
      const before = await stage.publishTo([tab, witness], 2);
      await view.goto(inject('pages') + '/elsewhere');
      await expect.poll(() => line.open).toBe(0);
      const missed = await stage.publishTo([witness], 3);
      await view.evaluate(() => history.back());
      await expect.poll(() => tab.ids()).toHaveLength(before.length + missed.length);
      expect((await tab.told()).life).toContain('pageshow cached');
      await stage.expectWhole([...before, ...missed], tab);
      expect([line.opened, line.open]).toEqual([2, 1]);
    });

    test('go on beyond the token that was there first', async ({ stage, tab }) => {
      const line = await stage.line();
      await tab.connect(stage.login('ana', line, { expires: '3s' }));
      const ids = [...(await stage.publishTo([tab], 1))];
      // Renewed twice at 80 % of its life: the first one has ended.
      await expect.poll(async () => (await tab.told()).tokens).toEqual(['connect', 'refresh', 'refresh']);
      ids.push(...(await stage.publishTo([tab], 1)));
      await stage.expectWhole(ids, tab);
      expect(await tab.states()).toEqual(['connecting', 'connected']);
      expect(line.opened).toBe(1);
    });
  });
