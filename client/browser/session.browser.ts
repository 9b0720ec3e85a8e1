import { describe, expect } from 'vitest';
import type { Mounted } from './page/page.js';
import { test } from './stage.js';
import type { Tab } from './stage.js';

const render = (tab: Tab, props: Mounted): Promise<void> => tab.page.evaluate((to) => window.harness.render(to), props);
const items = (tab: Tab): Promise<string[]> => tab.page.locator('li').allTextContents();
const state = (tab: Tab): Promise<string | null> => tab.page.locator('#state').textContent();

describe('another session', () => {
  test('gets nothing of the one before, not even what had arrived and waited', async ({ stage, stack }) => {
    const line = await stage.line();
    const tab = await stage.tab();
    const witness = await stage.witness();
    const other = `${stage.tenant}-other`;
    await tab.connect(stage.login('ana', line), { sessionKey: 'ana' }, true);
    await stage.publishTo([witness], 1);
    await expect.poll(() => tab.page.evaluate(() => window.harness.client.getStats().received)).toBe(1);

    await tab.page.evaluate((bo) => {
      window.harness.become(bo);
      window.harness.client.setSession('bo');
    }, stage.login('bo', line, { tenant: other }));
    await expect.poll(() => tab.page.evaluate(() => window.harness.client.getStatus())).toMatchObject({ state: 'connected', userId: 'bo', tenantId: other });
    await stage.publishTo([witness], 1);
    const own = await stack.publish(other);
    await expect.poll(() => tab.ids()).toEqual([own]);
    expect((await tab.told()).resyncs.map(({ reason }) => reason)).toEqual(['first', 'first']);
    expect(await tab.page.evaluate(() => window.harness.client.recent('*').map(({ eventId }) => eventId))).toEqual([own]);
    expect(line.open).toBe(1);
  });

  test('begins after the logout, which closes the socket and empties the page', async ({ stage, stack }) => {
    const line = await stage.line();
    const { url } = line;
    const tab = await stage.tab();
    const witness = await stage.witness();
    const other = `${stage.tenant}-other`;
    await render(tab, { url, login: stage.login('ana', line) });
    await expect.poll(() => state(tab)).toBe('connected');
    await stage.publish('goal.created', { title: "Ana's" });
    await expect.poll(() => items(tab)).toEqual(["Ana's"]);

    await render(tab, { url, login: null });
    await expect.poll(() => line.open).toBe(0);
    expect([await state(tab), await items(tab)]).toEqual(['disconnected', []]);
    const [late] = await stage.publishTo([witness], 1);

    await render(tab, { url, login: stage.login('bo', line, { tenant: other }) });
    await expect.poll(() => state(tab)).toBe('connected');
    await stack.publish(other, 'goal.created', { title: "Bo's" });
    await expect.poll(() => items(tab)).toEqual(["Bo's"]);
    expect(await tab.ids()).not.toContain(late);
    expect((await tab.told()).events.map(({ tenant }) => tenant)).toEqual([stage.tenant, other]);
    expect((await tab.told()).resyncs.map(({ reason }) => reason)).toEqual(['first', 'first']);
    expect([line.opened, line.open]).toEqual([2, 1]);
  });
});

describe('React', () => {
  test('opens one socket under StrictMode, and none stays when the page is unmounted', async ({ stage }) => {
    const line = await stage.line();
    const { url } = line;
    const tab = await stage.tab();
    await render(tab, { url, login: stage.login('ana', line) });
    await expect.poll(() => state(tab)).toBe('connected');
    await stage.publish('goal.created', { title: 'Seen once' });
    await expect.poll(() => items(tab)).toEqual(['Seen once']);
    expect(await tab.told()).toMatchObject({ effects: 2, tokens: ['connect'] }); // one effect: StrictMode was not there
    expect([line.opened, line.open]).toEqual([1, 1]);
    await tab.page.evaluate(() => window.harness.unmount());
    await expect.poll(() => line.open).toBe(0);
    expect(line.opened).toBe(1);
  });

  test('opens no socket while the flag is off, one when it goes on, and none stays when it goes off', async ({ stage }) => {
    const line = await stage.line();
    const { url } = line;
    const tab = await stage.tab();
    const witness = await stage.witness();
    const login = stage.login('ana', line);
    await render(tab, { url, login, enabled: false });
    await expect.poll(() => state(tab)).toBe('disconnected');
    await stage.publishTo([witness], 1);
    expect([line.opened, (await tab.told()).tokens.length]).toEqual([0, 0]);

    await render(tab, { url, login, enabled: true });
    await expect.poll(() => state(tab)).toBe('connected');
    expect([line.opened, (await tab.told()).tokens.length]).toEqual([1, 1]);

    await render(tab, { url, login, enabled: false });
    await expect.poll(() => line.open).toBe(0);
    await stage.publishTo([witness], 1);
    expect([line.opened, await state(tab), await tab.ids()]).toEqual([1, 'disconnected', []]);
  });
});
