import { describe, expect, inject } from 'vitest';
import { violations } from './axe.js';
import type { Test } from './playing.js';

/** The demo's pages in a browser that cannot be told what its user has chosen in the system: the pages are told instead. */
export const demo = (test: Test): unknown =>
  describe('the demo', () => {
    for (const [path, complete] of [
      ['index.html?server=fake&theme=light', '.rt-feed-row'],
      ['index.html?server=fake&theme=dark', '.rt-feed-row'],
      ['matrix.html?theme=dark', 'html[data-ready]'],
    ] as const)
      test(`is accessible: ${path}`, async ({ view }) => {
        await view.goto(`${inject('demo')}/${path}`);
        await expect.poll(() => view.evaluate((of) => document.querySelector(of) !== null, complete)).toBe(true);
        expect(await violations(view)).toEqual([]);
      });
  });
