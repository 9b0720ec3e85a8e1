import { components } from './components.js';
import { events } from './events.js';
import { playedBy } from './playing.js';
import type { Test } from './playing.js';
import type { Running } from './view.js';

/** Has a browser play what an application's user lives through. Where it can't be had, its tests are skipped, unless BROWSERS=required. */
export const scenarios = (start: () => Promise<Running>): Test => {
  const test = playedBy(start);
  events(test);
  components(test);
  return test;
};
