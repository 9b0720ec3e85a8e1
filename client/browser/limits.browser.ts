import { afterAll, beforeAll, describe, expect } from 'vitest';
import { startStack } from './stack.js';
import { Stage, test } from './stage.js';

/** The gateway's clock runs so many times faster: its ten minutes are 2.5 s, its two hours 30 s. */
const SPEED = 240;

let fast: Awaited<ReturnType<typeof startStack>>;
beforeAll(async () => {
  fast = await startStack('fast', '--speed', String(SPEED));
});
afterAll(() => fast.stop());

const quick = test.extend<{ stage: Stage }>({
  stage: async ({ browser }, run) => {
    const stage = new Stage(browser, fast.stack);
    await run(stage);
    await stage.end();
  },
});

describe("API Gateway's limits", () => {
  quick('ten idle minutes: the keep-alive prevents what happens to a connection without one', async ({ stage }) => {
    const [line, idleLine] = [await stage.line(), await stage.line()];
    const [tab, idle] = [await stage.tab(), await stage.tab()];
    await tab.connect(stage.login('ana', line), { ping: { intervalMs: 60_000 / SPEED } });
    await idle.connect(stage.login('ben', idleLine), { ping: { intervalMs: 3_600_000 } });
    await expect.poll(async () => (await idle.states()).slice(0, 4)).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
    await stage.expectWhole([], tab, idle);
    expect(await tab.states()).toEqual(['connecting', 'connected']);
    expect(line.opened).toBe(1);
  });

  quick('two hours: a handover comes before them, and even without one nothing is lost', async ({ stage }) => {
    const [line, oldLine] = [await stage.line(), await stage.line()];
    const [tab, old] = [await stage.tab(), await stage.tab()];
    const ping = { intervalMs: 60_000 / SPEED };
    await tab.connect(stage.login('ana', line), { ping, rotateAfterMs: [3_600_000 / SPEED, 4_500_000 / SPEED] });
    await old.connect(stage.login('ben', oldLine), { ping, rotateAfterMs: false });
    const ids: string[] = [];
    while (oldLine.opened < 2) ids.push(...(await stage.publishTo([tab, old], 1)));
    await stage.expectWhole(ids, tab, old);
    expect(await old.states()).toEqual(['connecting', 'connected', 'reconnecting', 'connected']);
    expect(await tab.states()).toEqual(['connecting', 'connected']);
    expect(line.opened).toBeGreaterThanOrEqual(2);
  });
});
