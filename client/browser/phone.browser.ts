import { phone } from './browsers.js';
import { scenarios } from './scenarios.js';

scenarios(phone);
