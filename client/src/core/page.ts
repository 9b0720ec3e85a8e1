import type { PageEvent, PagePort } from './options.js';

/** The page of a browser; where there is none, a page that is always visible and of which nothing is heard. */
export const browserPage = (): PagePort => ({
  isVisible: () => globalThis.document?.visibilityState !== 'hidden',
  subscribe(listener) {
    const run = ({ type, persisted }: { readonly type: string; readonly persisted?: boolean }): void => {
      // A page that is left for good, or shown for the first time, is no matter of the back-forward cache.
      if (persisted !== false) listener(type === 'visibilitychange' ? document.visibilityState : type.endsWith('down') ? 'interaction' : (type.replace('page', '') as PageEvent));
    };
    const each = (what: 'addEventListener' | 'removeEventListener'): void => {
      // React Native has a window, but no document. On its way to the document every event comes past the window.
      if (globalThis.window?.document)
        for (const type of ['visibilitychange', 'freeze', 'resume', 'online', 'offline', 'pagehide', 'pageshow', 'pointerdown', 'keydown']) window[what](type, run as (event: object) => void, true);
    };
    each('addEventListener');
    return () => each('removeEventListener');
  },
});
