import { describe, expect } from 'vitest';
import { test } from './stage.js';

describe('a token', () => {
  test('is renewed in band: the connection outlives it, and nobody notices', async ({ stage }) => {
    const line = await stage.line();
    const tab = await stage.tab();
    const began = Date.now();
    await tab.connect(stage.login('ana', line, { expires: '6s' }));
    const ids = [...(await stage.publishTo([tab], 2))];
    await expect.poll(async () => (await tab.told()).tokens).toEqual(['connect', 'refresh', 'refresh']);
    // Later than the first token's end, which the server pushes nothing beyond.
    await expect.poll(() => Date.now() - began).toBeGreaterThan(6000);
    ids.push(...(await stage.publishTo([tab], 2)));
    await stage.expectWhole(ids, tab);
    expect(await tab.states()).toEqual(['connecting', 'connected']);
    expect((await tab.told()).errors).toEqual([]);
    expect([line.opened, line.open]).toEqual([1, 1]);
  });
});

describe('a connection that gets old', () => {
  test('hands over to its successor, again and again, without a gap and without a flicker', async ({ stage }) => {
    const line = await stage.line();
    const tab = await stage.tab();
    await tab.connect(stage.login('ana', line), { rotateAfterMs: [1200, 1500] });
    const ids: string[] = [];
    const rotations = (): Promise<number> => tab.page.evaluate(() => window.harness.client.getStats().rotations);
    while ((await rotations()) < 3) {
      const id = await stage.publish();
      ids.push(id);
      await expect.poll(async () => (await tab.ids()).at(-1)).toBe(id);
    }
    await stage.expectWhole(ids, tab);
    expect(await tab.states()).toEqual(['connecting', 'connected']);
    expect((await tab.told()).errors).toEqual([]);
    expect((await tab.told()).events.some(({ replayed }) => replayed)).toBe(false);
    expect(line.opened).toBeGreaterThanOrEqual(4);
  });
});
