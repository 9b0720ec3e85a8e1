import { components } from './components.js';
import { events } from './events.js';
import { playedBy } from './playing.js';
import type { Test } from './playing.js';
import type { Running } from './view.js';

/** Has a browser play what an application's user lives through. */
export const scenarios = (start: () => Promise<Running>, { isOptional = false } = {}): Test => {
  const test = playedBy(start, isOptional);
  events(test);
  components(test);
  return test;
};
