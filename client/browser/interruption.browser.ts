import { describe, expect } from 'vitest';
import { test } from './stage.js';

describe('a connection that is lost', () => {
  test('with the network: comes back with it, and with the events that were missed', async ({ stage }) => {
    const line = await stage.line();
    const context = await stage.context();
    const tab = await stage.tab(context);
    const witness = await stage.witness();
    await tab.connect(stage.login('ana', line));
    const before = await stage.publishTo([tab, witness], 3);

    await context.setOffline(true);
    line.cut();
    await expect.poll(async () => (await tab.told()).statuses.at(-1)).toMatchObject({ state: 'reconnecting', phase: 'offline' });
    const missed = await stage.publishTo([witness], 5);
    expect(await tab.ids()).toHaveLength(before.length);
    line.mend();
    await context.setOffline(false);

    await expect.poll(() => tab.ids()).toHaveLength(before.length + missed.length);
    expect((await tab.told()).events.map(({ replayed }) => replayed)).toEqual([...before.map(() => false), ...missed.map(() => true)]);
    await stage.expectWhole([...before, ...missed], tab);
    expect(await tab.states()).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
    expect((await tab.told()).life).toEqual(expect.arrayContaining(['offline', 'online']));
    expect(line.open).toBe(1);
  });

  test('by the server: is made again, and what happens meanwhile arrives once', async ({ stage, stack }) => {
    const line = await stage.line();
    const tab = await stage.tab();
    await tab.connect(stage.login('ana', line));
    const ids: string[] = [];
    for (let times = 1; times <= 3; times++) {
      await stack.close(await tab.connectionId());
      ids.push(await stage.publish(), await stage.publish());
      await expect.poll(() => tab.ids()).toHaveLength(ids.length);
      await expect.poll(() => line.opened).toBe(1 + times);
    }
    await stage.expectWhole(ids, tab);
    expect(line.open).toBe(1);
  });

  test('without a word, as a dead line is: is found by somebody who asks', async ({ stage }) => {
    const line = await stage.line();
    const tab = await stage.tab();
    const witness = await stage.witness();
    await tab.connect(stage.login('ana', line), { ping: { timeoutMs: 1000 } });
    line.silence();
    const missed = await stage.publishTo([witness], 3);
    expect(await tab.ids()).toEqual([]);
    expect(await tab.page.evaluate(() => window.harness.client.probe())).toBe(false);
    await expect.poll(() => tab.ids()).toHaveLength(missed.length);
    await stage.expectWhole(missed, tab);
    expect((await tab.told()).errors).toContain('TIMEOUT: No answer to two pings');
    expect(line.opened).toBe(2);
  });
});
