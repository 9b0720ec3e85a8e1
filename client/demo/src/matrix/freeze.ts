/**
 * Holds this page's time still, so that it looks the same whenever and for however long it is looked at. Imported first.
 *
 * Nothing ticks, and what would change by itself after more than a moment does not: badges stay, toasts are not taken away. The components' own
 * animations are held by the stylesheet.
 */

/** A fake server's clock begins here. */
export const START = Date.UTC(2026, 0, 5, 9);
export const NOW = START + 20 * 60_000;
/** Milliseconds that may pass: the grace of a lost connection is 2,000. */
const MOMENT = 2_200;

const setLater = window.setTimeout.bind(window);
Date.now = () => NOW;
window.setInterval = (() => 0) as unknown as typeof window.setInterval;
window.setTimeout = ((run: TimerHandler, ms = 0) => (ms > MOMENT ? 0 : setLater(run, ms))) as typeof window.setTimeout;
// In the top layer all panels would lie on one another; without it they stand where they are written.
(HTMLElement.prototype as { showPopover?: unknown }).showPopover = undefined;
