import { webkit } from './browsers.js';
import { scenarios } from './scenarios.js';

scenarios(webkit);
