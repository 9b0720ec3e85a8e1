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

const widths = [390, 1200];

/** The demo's pages, and what is there when they are complete. */
const pages = {
  board: ['index.html?server=fake', '.rt-feed-row'],
  matrix: ['matrix.html', 'html[data-ready]'],
} as const;

for (const [name, [path, complete]] of Object.entries(pages))
  for (const [look, media] of Object.entries(looks))
    describe(`the ${name} in ${look}`, () => {
      let opened: readonly Page[] = [];
      // For both widths at once: the matrix plays for some seconds what it shows.
      test.beforeAll(async ({ browser }) => {
        opened = await Promise.all(
          widths.map(async (width) => {
            const context = await browser.newContext({ ...media, viewport: { width, height: 900 } });
            const page = await context.newPage();
            // They would take their part of the width.
            await (await context.newCDPSession(page)).send('Emulation.setScrollbarsHidden', { hidden: true });
            await page.goto(`${inject('demo')}/${path}`);
            await page.locator(complete).first().waitFor();
            return page;
          }),
        );
      });
      test.afterAll(() => Promise.all(opened.map((page) => page.context().close())));

      for (const [i, width] of widths.entries())
        test(`is accessible, ${width} px wide`, async () => {
          const page = opened[i] as Page;
          const found = await violations(viewOf(page));
          // As high as the page: what is fixed to the window stands below it then, and nothing is scrolled.
          await page.setViewportSize({ width, height: await page.evaluate(() => document.documentElement.scrollHeight) });
          await page.screenshot({ path: join(screens, `${name}-${look}-${width}.png`.replaceAll(' ', '-')) });
          expect(found).toEqual([]);
        });
    });
