import { afterAll, beforeAll, expect, inject } from 'vitest';
import { Harnessed } from './harnessed.js';
import './lineup.js';
import { test as chromiumTest } from './stage.js';
import type { Running } from './view.js';

/** What a test in any browser is handed: `view` is the browser with the test page, `tab` what that page is told. */
export const playedBy = (start: () => Promise<Running>) => {
  let running: Running | undefined;
  let missing: string | undefined;

  beforeAll(async ({}, { file }) => {
    try {
      running = await start();
      file.meta.browser = { name: running.name };
    } catch (error) {
      if (process.env.BROWSERS === 'required') throw error;
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
