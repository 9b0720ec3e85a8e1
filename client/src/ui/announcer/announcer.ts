import { useEffect } from 'react';
import type { RealtimeClient } from '../../core/options.js';
import { useClient } from '../../react/useRealtime.js';
import { useLatest } from '../../react/useRealtimeEvent.js';
import { GRACE, labelOf, shownOf, stateOf } from '../indicator/shown.js';
import { useIndicatorWords } from '../indicator/words.js';
import type { IndicatorWords } from '../indicator/words.js';

/** Milliseconds between two messages at least: a screen reader reads each to its end. */
const QUIET = 5000;
// Set by script and not by the stylesheet: it must not be seen where an application brings its own.
const HIDDEN = 'position:fixed;top:0;left:0;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap';

/** The newest words of whoever uses it. */
type Words = { readonly current: IndicatorWords };
interface Announcer {
  readonly words: Set<Words>;
  readonly end: () => void;
}

/** One for each client, however many components are on the page: each change is said once. */
const announcers = new WeakMap<RealtimeClient, Announcer>();

const begin = (client: RealtimeClient, words: Set<Words>): (() => void) => {
  const region = document.createElement('div');
  region.setAttribute('role', 'status');
  region.style.cssText = HIDDEN;
  document.body.appendChild(region);
  const shown = shownOf(client, GRACE);
  let said = '';
  /** Somebody has heard that the connection is not well, and will want to hear that it is back. */
  let told = false;
  let quietUntil = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const say = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const status = shown.get();
    const state = stateOf(status);
    const [{ current: labels }] = Array.from(words).slice(-1) as [Words];
    // What the application or the user did is no news, nor that it connects; but an error after that is, also the same as before.
    const isNews = status.state === 'error' || status.state === 'reconnecting' || (status.state === 'disconnected' && status.reason === 'replaced');
    const text = isNews ? labelOf(status, labels) : state === 'live' && told ? labels.reconnected : '';
    if (text === said) return;
    region.textContent = said = text;
    told = state !== 'live' && (told || !!text);
    if (text) quietUntil = performance.now() + QUIET;
  };
  const look = (): void => {
    // Emptied at once, which nobody hears: what answers another try may be the same words, and over themselves they are no change.
    if (shown.get().state === 'connecting') region.textContent = said = '';
    const wait = quietUntil - performance.now();
    if (wait <= 0) say();
    // Then what is true by then, not each in its turn.
    else timer ??= setTimeout(say, wait);
  };
  const stop = shown.subscribe(look);
  return () => {
    stop();
    clearTimeout(timer);
    region.remove();
  };
};

/** Tells screen readers when the connection is lost and when it is back, for as long as a component of the client is mounted. */
export const useAnnouncer = (): void => {
  const client = useClient();
  const latest = useLatest(useIndicatorWords());
  useEffect(() => {
    if (!client) return undefined;
    let announcer = announcers.get(client);
    if (!announcer) {
      const words = new Set<Words>([latest]);
      announcers.set(client, (announcer = { words, end: begin(client, words) }));
    }
    const { words, end } = announcer;
    words.add(latest);
    return () => {
      words.delete(latest);
      if (words.size) return;
      announcers.delete(client);
      end();
    };
  }, [client, latest]);
};
