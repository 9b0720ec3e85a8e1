import { afterAll, beforeAll, expect, inject } from 'vitest';
import { Harnessed } from './harnessed.js';
import './lineup.js';
import { test as chromiumTest } from './stage.js';
import type { Running } from './view.js';

/**
 * Tests in a browser: each is handed `view`, the browser with the test page, and `tab`, what that page is told.
 *
 * Where an optional browser can't be had, its tests are skipped and the last line says so, unless BROWSERS=required.
 */
export const playedBy = (start: () => Promise<Running>, isOptional: boolean) => {
  let running: Running | undefined;
  let missing: string | undefined;

  beforeAll(async ({}, { file }) => {
    try {
      running = await start();
      file.meta.browser = { name: running.name };
    } catch (error) {
      if (!isOptional || process.env.BROWSERS === 'required') throw error;
      missing = (error as Error).message.split('\n')[0] as string;
      file.meta.browser = { missing };
    }
  });
  afterAll(() => running?.stop());

  return chromiumTest.extend<{ view: Running; tab: Harnessed }>({
    view: async ({ skip }, run) => {
      if (!running) return skip(missing);
      await running.goto(inject('pages'));
      await run(running);
      await running.goto('about:blank');
    },
    tab: async ({ view }, run) => {
      const tab = new Harnessed(view);
      await run(tab);
      expect((await tab.told()).uncaught).toEqual([]);
    },
  });
};

export type Test = ReturnType<typeof playedBy>;
