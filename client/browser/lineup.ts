import type { Reporter, TestModule } from 'vitest/node';

declare module 'vitest' {
  interface TaskMeta {
    /** The browser that played this file's tests, or why none did. */
    browser?: { readonly name: string } | { readonly missing: string };
  }
}

/** Says last which browsers ran, and which did not and why. */
export class LineUp implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const ran: string[] = [];
    const missing: string[] = [];
    for (const module of modules) {
      const { browser } = module.meta();
      if (!browser) continue;
      if ('name' in browser) ran.push(browser.name);
      else missing.push(`${module.relativeModuleId.replace('.browser.ts', '')} did not run: ${browser.missing}`);
    }
    if (ran.length + missing.length) console.log([`browsers: ${ran.sort().join(', ') || 'none'}`, ...missing.sort()].join('\n'));
  }
}
