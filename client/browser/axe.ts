import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type axe from 'axe-core';
import type { View } from './view.js';

const source = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

declare global {
  interface Window {
    axe?: typeof axe;
  }
}

/** Every rule of axe-core that what is seen breaks once nothing moves any more, with the elements that do. */
export const violations = (view: Pick<View, 'evaluate'>): Promise<readonly string[]> =>
  view.evaluate(async (script) => {
    if (!window.axe) (0, eval)(script);
    // The matrix has some that last for days, so that they stand still.
    const ending = document.getAnimations().filter(({ playState, effect }) => playState === 'running' && Number(effect?.getComputedTiming().endTime) < 60_000);
    await Promise.allSettled(ending.map(({ finished }) => finished));
    const { violations: found } = await (window.axe as typeof axe).run({ rules: { 'target-size': { enabled: true } } });
    return found.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => `${id}: ${target.join(' ')}: ${failureSummary ?? ''}`));
  }, source);
