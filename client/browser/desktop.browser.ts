import { desktop } from './browsers.js';
import { scenarios } from './scenarios.js';

scenarios(desktop);
