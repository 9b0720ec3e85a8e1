import { randomUUID } from 'node:crypto';
import { chromium } from 'playwright-core';
import type { Browser, BrowserContext, Page, WebSocket } from 'playwright-core';
import { expect, inject, test as base } from 'vitest';
import type { CatalogueType } from '../src/generated/events.js';
import { Harnessed } from './harnessed.js';
import { Line } from './line.js';
import type { Login } from './page/page.js';
import { Stack } from './stack.js';
import { viewOf } from './view.js';

/** One tab of Chromium with the test page. */
export class Tab extends Harnessed {
  /** The sockets it opened, oldest first, with the frames it sent on each. */
  readonly sockets: { readonly url: string; readonly sent: string[] }[] = [];
  /** What nobody caught. */
  readonly uncaught: string[] = [];

  constructor(readonly page: Page) {
    super(viewOf(page));
    page.on('pageerror', (error) => this.uncaught.push(String(error)));
    page.on('websocket', (socket: WebSocket) => {
      const sent: string[] = [];
      this.sockets.push({ url: socket.url(), sent });
      socket.on('framesent', ({ payload }) => sent.push(String(payload)));
    });
  }

  /**
   * Freezes the page as a browser does with one that nobody looks at: neither a timer nor a message runs in it. Returns how to resume it.
   *
   * Only a tab of the browser's first context can be frozen: those of others are told that they are always visible.
   */
  async freeze(): Promise<() => Promise<unknown>> {
    const devtools = await this.page.context().newCDPSession(this.page);
    await devtools.send('Page.setWebLifecycleState', { state: 'frozen' });
    await expect.poll(async () => (await this.told()).life).toContain('freeze');
    return () => devtools.send('Page.setWebLifecycleState', { state: 'active' });
  }
}

/** A tenant of one test, with the tabs and lines of its users. */
export class Stage {
  readonly tenant = `browser-${randomUUID().slice(0, 8)}`;
  readonly tabs: Tab[] = [];
  private readonly lines: Line[] = [];
  private readonly contexts: BrowserContext[] = [];

  constructor(
    readonly browser: Browser,
    readonly stack: Stack,
  ) {}

  async line(): Promise<Line> {
    const line = await Line.to(this.stack.port);
    this.lines.push(line);
    return line;
  }

  login(user: string, { url }: Line, more: Partial<Login> = {}): Login {
    return { url, stack: this.stack.url, tenant: this.tenant, user, ...more };
  }

  /** A browser session of its own, with storage of its own. */
  async context(): Promise<BrowserContext> {
    const context = await this.browser.newContext();
    this.contexts.push(context);
    return context;
  }

  /** A tab that shows the test page; `prepare` comes before the page. */
  async tab(context?: BrowserContext, prepare?: (page: Page) => Promise<void>): Promise<Tab> {
    const tab = new Tab(await (context || (await this.context())).newPage());
    this.tabs.push(tab);
    if (prepare) await prepare(tab.page);
    await tab.page.goto(inject('pages'));
    return tab;
  }

  /** A user of the tenant to whom nothing happens: what this one has seen has a number and is in the log. */
  async witness(tenant = this.tenant): Promise<Tab> {
    const tab = await this.tab();
    await tab.connect(this.login('witness', await this.line(), { tenant }));
    return tab;
  }

  async publish(type?: CatalogueType, data?: object): Promise<string> {
    return this.stack.publish(this.tenant, type, data);
  }

  /** Publishes events and waits until each tab has been told all of them. */
  async publishTo(tabs: readonly Harnessed[], count: number): Promise<readonly string[]> {
    const ids: string[] = [];
    while (ids.length < count) ids.push(await this.publish());
    for (const tab of tabs) await expect.poll(() => tab.ids()).toEqual(expect.arrayContaining(ids));
    return ids;
  }

  /**
   * Holds tabs to the promise: exactly these events, each once, numbered without a hole from the first position on. One more event is published first: what would come too often comes before it.
   */
  async expectWhole(ids: readonly string[], ...tabs: readonly Harnessed[]): Promise<void> {
    const last = await this.publishTo(tabs, 1);
    for (const tab of tabs) {
      const { events, resyncs, invalid } = await tab.told();
      expect(events.map(({ id }) => id).sort()).toEqual([...ids, ...last].sort());
      const first = (resyncs[0]?.sequence as number) + 1;
      expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, i) => first + i));
      expect(resyncs.map(({ reason }) => reason)).toEqual(['first']);
      expect(invalid).toEqual([]);
    }
  }

  async end(): Promise<void> {
    await Promise.all(this.tabs.map(({ page }) => page.close()));
    await Promise.all(this.contexts.map((context) => context.close()));
    await Promise.all(this.lines.map((line) => line.close()));
  }
}

/** Tests with the browser, and a stage each. */
export const test = base.extend<{ stage: Stage; browser: Browser; stack: Stack }>({
  browser: [
    async ({}, run) => {
      const browser = await chromium.connectOverCDP(inject('devtools'), { noDefaults: true });
      await run(browser);
      // Ends the connection to Chromium, which runs on.
      await browser.close();
    },
    { scope: 'file' },
  ],
  stack: [async ({}, run) => run(new Stack(inject('stack'))), { scope: 'file' }],
  stage: async ({ browser, stack }, run) => {
    const stage = new Stage(browser, stack);
    await run(stage);
    const uncaught = stage.tabs.flatMap((tab) => tab.uncaught);
    await stage.end();
    expect(uncaught).toEqual([]);
  },
});
