import type { Page } from 'playwright-core';

/** One page in any browser: what each of them can be told to do. */
export interface View {
  goto(url: string): Promise<unknown>;
  /** Runs a function in the page, where it sees nothing of its surroundings here, and returns what it returned or resolved to. */
  evaluate<R, A = undefined>(run: (arg: A) => R, arg?: A): Promise<Awaited<R>>;
  /** Clicks the first element that a CSS selector finds, or taps it where there is no mouse. */
  click(selector: string): Promise<unknown>;
  /** Presses one key. */
  press(key: Key): Promise<unknown>;
  /** Elements of this role and name for screen readers, as the browser has computed them. */
  named(role: string, name: string): Promise<number>;
}

/** By its `KeyboardEvent.key`. */
export type Key = 'Tab' | 'Enter' | ' ' | 'Escape' | 'PageUp' | 'PageDown';

/** A browser with one page. */
export interface Running extends View {
  /** With its version, for people. */
  readonly name: string;
  stop(): Promise<void>;
}

/** A page of Chromium's, which Playwright drives. */
export const viewOf = (page: Page): View => ({
  goto: (url) => page.goto(url),
  evaluate: (run, arg) => page.evaluate(run as never, arg),
  click: (selector) => page.click(selector),
  press: (key) => page.keyboard.press(key),
  named: async (role, name) => {
    const devtools = await page.context().newCDPSession(page);
    const { root } = await devtools.send('DOM.getDocument', { depth: 0 });
    const { nodes } = await devtools.send('Accessibility.queryAXTree', { nodeId: root.nodeId, accessibleName: name, role });
    await devtools.detach();
    return nodes.filter(({ ignored }) => !ignored).length;
  },
});
