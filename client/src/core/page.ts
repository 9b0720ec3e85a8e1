import type { PageEvent, PagePort } from './options.js';

/** The page of a browser; where there is none, a page that is always visible and of which nothing is heard. */
export const browserPage = (): PagePort => ({
  isVisible: () => typeof document === 'undefined' || document.visibilityState !== 'hidden',
  subscribe(listener) {
    const stops: (() => void)[] = [];
    const on = (target: EventTarget, type: string, map: (event: Event) => PageEvent | undefined): void => {
      const run = (event: Event): void => {
        const told = map(event);
        if (told) listener(told);
      };
      const options = { capture: true, passive: true };
      target.addEventListener(type, run, options);
      stops.push(() => target.removeEventListener(type, run, options));
    };
    // React Native has a window, but no document.
    if (typeof document !== 'undefined' && typeof window !== 'undefined') {
      on(document, 'visibilitychange', () => (document.visibilityState === 'hidden' ? 'hidden' : 'visible'));
      on(document, 'freeze', () => 'freeze');
      on(document, 'resume', () => 'resume');
      on(window, 'online', () => 'online');
      on(window, 'offline', () => 'offline');
      on(window, 'pagehide', (event) => ((event as PageTransitionEvent).persisted ? 'hide' : undefined));
      on(window, 'pageshow', (event) => ((event as PageTransitionEvent).persisted ? 'show' : undefined));
      on(window, 'pointerdown', () => 'interaction');
      on(window, 'keydown', () => 'interaction');
    }
    return () => stops.forEach((stop) => stop());
  },
});
