import { webkit } from './browsers.js';
import { demo } from './demo.js';
import { scenarios } from './scenarios.js';

demo(scenarios(webkit, { isOptional: true }));
