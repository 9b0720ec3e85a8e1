import { defineConfig } from 'vitest/config';
import { LineUp } from './lineup.js';

export default defineConfig({
  test: {
    include: ['*.browser.ts'],
    globalSetup: './surroundings.ts',
    reporters: ['default', new LineUp()],
    // Two cores carry the browser, the stack and its functions.
    maxWorkers: 2,
    // Deadlines, not expectations: nothing here asserts how fast something came.
    testTimeout: 90_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 45_000, interval: 25 } },
  },
});
