import type { Page } from 'playwright-core';
import { expect } from 'vitest';
// @ts-expect-error a script of the build, without types
import { stylesheets } from '../build/styles.mjs';
import { test } from './stage.js';

const published = (await (stylesheets as () => Promise<unknown>)()) as { readonly 'styles.css': string; readonly 'styles.unlayered.css': string };
const { 'styles.css': layered, 'styles.unlayered.css': unlayered } = published;

/** What the resets of applications have in common. */
const reset = '*, ::before, ::after { box-sizing: border-box; margin: 0; padding: 0; border: 0 solid } button { background: transparent; font: inherit; color: inherit }';

/** What a reset would take, of what has a ground, a border or room of its own. */
const looks = (page: Page): Promise<readonly object[]> =>
  page.evaluate(() =>
    ['.rt-pill', '.rt-button', '.rt-panel', '.rt-feed', '.rt-feed-paused'].map((selector) => {
      const { backgroundColor, borderBlockStart, paddingInline, font, color } = getComputedStyle(document.querySelector(selector) as Element);
      return { selector, backgroundColor, borderBlockStart, paddingInline, font, color };
    }),
  );

test('a reset of the application takes nothing from the components', async ({ stage }) => {
  const line = await stage.line();
  const { page } = await stage.tab();
  await page.evaluate((to) => window.harness.render(to), { url: line.url, login: stage.login('bo', line), goalId: 'goal-4f1c' });
  await page.locator('.rt-pill[data-state=live]').first().waitFor();
  line.cut();
  await page.locator('.rt-pill[data-state=reconnecting]').first().click();
  await page.locator('.rt-button').waitFor();
  await page.locator('.rt-feed-paused').waitFor();

  const style = async (text: string): Promise<readonly object[]> => {
    await page.evaluate((css) => {
      document.querySelector('link[rel=stylesheet], #look')?.remove();
      const element = Object.assign(document.createElement('style'), { id: 'look', textContent: css });
      document.head.append(element);
    }, text);
    return looks(page);
  };
  const alone = await style(layered);
  expect(await style(reset + unlayered)).toEqual(alone);
  expect(await style(`@layer base, rt; ${layered} @layer base { ${reset} }`)).toEqual(alone);
  // Why there are two stylesheets: no layer wins over a rule outside of all.
  expect(await style(reset + layered)).not.toEqual(alone);
});
