import { describe, expect } from 'vitest';
import { samples } from '../src/generated/samples.js';
import type { CatalogueType } from '../src/generated/events.js';
import { test } from './stage.js';

describe('delivery', () => {
  test('the first event arrives with its type, and the token travels in a message only', async ({ stage }) => {
    const line = await stage.line();
    const tab = await stage.tab();
    await tab.connect(stage.login('ana', line));
    const id = await stage.publish('goal.created', { title: 'First of all' });
    await expect.poll(() => tab.ids()).toEqual([id]);
    const { titles } = await tab.told();
    expect(titles).toEqual(['First of all']);
    expect(tab.sockets.map(({ url }) => url)).toEqual([line.url + '/']);
    expect(tab.sockets[0]?.sent.map((frame) => (JSON.parse(frame) as { action: string }).action)).toEqual(['auth']);
    expect(await tab.states()).toEqual(['connecting', 'connected']);
  });

  test('every type of the catalogue arrives, valid, in order and once', async ({ stage }) => {
    const tab = await stage.tab();
    await tab.connect(stage.login('ana', await stage.line()));
    const types = Object.keys(samples) as CatalogueType[];
    const ids: string[] = [];
    for (const type of types) ids.push(await stage.publish(type));
    await expect.poll(async () => (await tab.told()).events.map(({ type }) => type).sort()).toEqual([...types].sort());
    await stage.expectWhole(ids, tab);
  });

  test('two tabs of one user both get everything, each on a socket of its own', async ({ stage }) => {
    const line = await stage.line();
    const context = await stage.context();
    const tabs = [await stage.tab(context), await stage.tab(context)];
    for (const tab of tabs) await tab.connect(stage.login('ana', line));
    const ids = await stage.publishTo(tabs, 10);
    await stage.expectWhole(ids, ...tabs);
    expect([line.opened, line.open]).toEqual([2, 2]);
  });

  test('a push that is lost is noticed by the next one, and made up for', async ({ stage, stack }) => {
    const line = await stage.line();
    const tab = await stage.tab();
    const witness = await stage.witness();
    await tab.connect(stage.login('ana', line));
    const match = `POST ${await tab.connectionId()}`;
    await stack.fault({ target: 'connections', match, answer: 'vanish' });
    const [lost] = await stage.publishTo([witness], 1);
    await expect.poll(() => stack.pending(match)).toBe(false);
    expect(await tab.ids()).toEqual([]);
    const next = await stage.publish();
    await expect.poll(() => tab.ids()).toEqual([lost, next]);
    await stage.expectWhole([lost as string, next], tab);
    expect(line.opened).toBe(1);
  });

  test('a push that comes twice, because its answer was lost, is told once', async ({ stage, stack }) => {
    const tab = await stage.tab();
    await tab.connect(stage.login('ana', await stage.line()));
    await stack.fault({ target: 'connections', match: `POST ${await tab.connectionId()}`, answer: 'lose' });
    const id = await stage.publish();
    await expect.poll(() => tab.page.evaluate(() => window.harness.client.getStats())).toMatchObject({ received: 2, duplicates: 1 });
    await stage.expectWhole([id], tab);
  });
});
