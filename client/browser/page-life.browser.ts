import { describe, expect, inject } from 'vitest';
import { test } from './stage.js';

/** After an ordinary drop nothing would happen for as long as the test lasts. */
const AT_ONCE = { capsMs: [1e12] };

describe('a page that sleeps', () => {
  test('with the whole machine: finds its socket dead when it wakes, and heals', async ({ stage }) => {
    const line = await stage.line();
    const tab = await stage.tab(undefined, (page) => page.clock.install());
    const witness = await stage.witness();
    await tab.connect(stage.login('ana', line), { ping: { timeoutMs: 1000 }, backoff: AT_ONCE });
    const before = await stage.publishTo([tab, witness], 2);

    line.silence();
    const missed = await stage.publishTo([witness], 4);
    expect(await tab.ids()).toEqual(before);
    // The lid was closed for less time than the keep-alive waits: the client has nothing but the clock to notice it by.
    await tab.page.clock.fastForward('05:00');

    await expect.poll(() => tab.ids()).toHaveLength(before.length + missed.length);
    await stage.expectWhole([...before, ...missed], tab);
    expect((await tab.told()).errors).toContain('TIMEOUT: No answer to two pings');
    expect(await tab.states()).toEqual(['connecting', 'connected', 'connected, stale', 'reconnecting', 'connected']);
    expect(line.opened).toBe(2);
  });

  test('frozen by the browser: is connected anew at once when it resumes, and has missed nothing', async ({ stage }) => {
    const line = await stage.line();
    const tab = await stage.tab(stage.browser.contexts()[0]);
    const witness = await stage.witness();
    await tab.connect(stage.login('ana', line), { ping: { timeoutMs: 1000 }, backoff: AT_ONCE });
    const before = await stage.publishTo([tab, witness], 2);

    const resume = await tab.freeze();
    const { ticks } = await tab.told();
    // Chromium ends a frozen page's socket and says so when the page resumes. Where it does not, the line is dead all the same.
    line.silence();
    const missed = await stage.publishTo([witness], 4);
    expect(await tab.told()).toMatchObject({ ticks, events: before.map((id) => ({ id })) });
    expect((await tab.told()).statuses.at(-1)).toMatchObject({ state: 'connected' });
    await resume();

    await expect.poll(() => tab.ids()).toHaveLength(before.length + missed.length);
    await stage.expectWhole([...before, ...missed], tab);
    expect((await tab.states()).slice(-2)).toEqual(['reconnecting', 'connected']);
    expect((await tab.told()).life).toEqual(['pageshow new', 'freeze', 'resume']);
    expect(line.opened).toBe(2);
  });
});

describe('the back-forward cache', () => {
  test('takes the page without its socket, and gives it back with a new one and what was missed', async ({ stage }) => {
    const line = await stage.line();
    const tab = await stage.tab();
    const witness = await stage.witness();
    await tab.connect(stage.login('ana', line));
    const before = await stage.publishTo([tab, witness], 2);

    await tab.page.goto(inject('pages') + '/elsewhere');
    await expect.poll(() => line.open).toBe(0);
    const missed = await stage.publishTo([witness], 4);
    await tab.page.goBack({ waitUntil: 'commit' });

    await expect.poll(() => tab.ids()).toHaveLength(before.length + missed.length);
    // The page itself, not one loaded anew.
    expect((await tab.told()).life).toEqual(['pageshow new', 'pagehide cached', 'freeze', 'resume', 'pageshow cached']);
    await stage.expectWhole([...before, ...missed], tab);
    expect([line.opened, line.open]).toEqual([2, 1]);
  });
});
