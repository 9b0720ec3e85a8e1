import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions } from 'playwright-core';
import { describe, expect, inject } from 'vitest';
import { violations } from './axe.js';
import { test } from './stage.js';
import { viewOf } from './view.js';

const screens = join(import.meta.dirname, '../../.build/browsers/screens');
mkdirSync(screens, { recursive: true });

/** What a user may have chosen in the system. */
const looks: Readonly<Record<string, BrowserContextOptions>> = {
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  'forced colours': { forcedColors: 'active' },
  'reduced motion': { reducedMotion: 'reduce' },
};

/** The pages, and what is there when they are complete. */
const pages = { 'index.html?server=fake': '.rt-feed-row' };

for (const [path, complete] of Object.entries(pages))
  describe(path, () => {
    for (const [look, media] of Object.entries(looks))
      for (const width of [390, 1200])
        test(`is accessible in ${look}, ${width} px wide`, async ({ browser }) => {
          const context = await browser.newContext({ viewport: { width, height: 900 }, ...media });
          const page = await context.newPage();
          // They would take their part of the width.
          await (await context.newCDPSession(page)).send('Emulation.setScrollbarsHidden', { hidden: true });
          await page.goto(`${inject('demo')}/${path}`);
          await page.locator(complete).first().waitFor();
          const found = await violations(viewOf(page));
          // As high as the page: what is fixed to the window stands below it then, and nothing is scrolled.
          await page.setViewportSize({ width, height: await page.evaluate(() => document.documentElement.scrollHeight) });
          await page.screenshot({ path: join(screens, `${path.split('.')[0]}-${look}-${width}.png`.replaceAll(' ', '-')) });
          await context.close();
          expect(found).toEqual([]);
        });
  });
