import type { BrowserContext } from 'playwright-core';
import { describe, expect, inject } from 'vitest';
import type { Line } from './line.js';
import { test } from './stage.js';
import type { Stage, Tab } from './stage.js';

/** Tabs of one user that share; the first leads. */
const sharing = async (stage: Stage, line: Line, count: number, context: BrowserContext): Promise<readonly [Tab, Tab, ...Tab[]]> => {
  const tabs: Tab[] = [];
  while (tabs.length < count) {
    const tab = await stage.tab(context);
    await tab.connect(stage.login('ana', line), { sessionKey: `${stage.tenant}/ana`, share: true });
    tabs.push(tab);
  }
  return tabs as [Tab, Tab, ...Tab[]];
};

describe('tabs that share', () => {
  test('have one socket and ask for one token, and each gets everything', async ({ stage }) => {
    const line = await stage.line();
    const tabs = await sharing(stage, line, 3, await stage.context());
    const ids = await stage.publishTo(tabs, 10);
    await stage.expectWhole(ids, ...tabs);
    expect([line.opened, line.open]).toEqual([1, 1]);
    expect((await Promise.all(tabs.map((tab) => tab.told()))).map(({ tokens }) => tokens.length)).toEqual([1, 0, 0]);
  });

  test('are led by another one when the leader is closed, and miss nothing', async ({ stage }) => {
    const line = await stage.line();
    const [leader, ...others] = await sharing(stage, line, 3, await stage.context());
    const witness = await stage.witness();
    const before = await stage.publishTo(others, 2);
    await leader.page.close();
    const meanwhile = await stage.publishTo([witness], 3);
    await stage.expectWhole([...before, ...meanwhile], ...others);
    await expect.poll(() => line.open).toBe(1);
    expect(line.opened).toBe(2);
  });

  test('are led by another one when the leader is frozen, and miss nothing, nor does it', async ({ stage }) => {
    const line = await stage.line();
    const [leader, other] = await sharing(stage, line, 2, stage.browser.contexts()[0] as BrowserContext);
    const before = await stage.publishTo([leader, other], 2);
    const resume = await leader.freeze();
    const meanwhile = await stage.publishTo([other], 3);
    expect(await leader.ids()).toHaveLength(before.length);
    await resume();
    await stage.expectWhole([...before, ...meanwhile], leader, other);
    await expect.poll(() => line.open).toBe(1);
  });

  test('are led by another one while the leader is in the back-forward cache, where it holds no lock, and from where it follows', async ({ stage }) => {
    const line = await stage.line();
    const [leader, other] = await sharing(stage, line, 2, await stage.context());
    const before = await stage.publishTo([leader, other], 2);
    await leader.page.goto(inject('pages') + '/elsewhere');
    const meanwhile = await stage.publishTo([other], 3);
    await leader.page.goBack({ waitUntil: 'commit' });
    await stage.expectWhole([...before, ...meanwhile], leader, other);
    expect((await leader.told()).life).toContain('pageshow cached');
    expect([line.opened, line.open]).toEqual([2, 1]);
  });
});
