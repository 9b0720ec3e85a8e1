import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { describe, expect, inject } from 'vitest';
import { violations } from './axe.js';
import { test } from './stage.js';
import { viewOf } from './view.js';

const screens = join(import.meta.dirname, '../../.build/browsers/screens');
mkdirSync(screens, { recursive: true });

/** What a user may have chosen in the system. */
const looks = {
  light: {},
  dark: { colorScheme: 'dark' },
  'forced colours': { forcedColors: 'active' },
  'reduced motion': { reducedMotion: 'reduce' },
} as const;

/** The demo's pages, and what is there when they are complete. */
const pages = {
  board: ['index.html?server=fake', '.rt-feed-row'],
  matrix: ['matrix.html', 'html[data-ready]'],
} as const;

for (const [name, [path, complete]] of Object.entries(pages))
  for (const [look, media] of Object.entries(looks))
    describe(`the ${name} in ${look}`, () => {
      let page: Page;
      // Once for both widths: the matrix plays for some seconds what it shows.
      test.beforeAll(async ({ browser }) => {
        const context = await browser.newContext(media);
        page = await context.newPage();
        // They would take their part of the width.
        await (await context.newCDPSession(page)).send('Emulation.setScrollbarsHidden', { hidden: true });
        await page.goto(`${inject('demo')}/${path}`);
        await page.locator(complete).first().waitFor();
      });
      test.afterAll(() => page.context().close());

      for (const width of [390, 1200])
        test(`is accessible, ${width} px wide`, async () => {
          await page.setViewportSize({ width, height: 900 });
          const found = await violations(viewOf(page));
          // As high as the page: what is fixed to the window stands below it then, and nothing is scrolled.
          await page.setViewportSize({ width, height: await page.evaluate(() => document.documentElement.scrollHeight) });
          await page.screenshot({ path: join(screens, `${name}-${look}-${width}.png`.replaceAll(' ', '-')) });
          expect(found).toEqual([]);
        });
    });
