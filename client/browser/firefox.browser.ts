import { firefox } from './browsers.js';
import { scenarios } from './scenarios.js';

scenarios(firefox);
