import { createRealtimeClient } from '../core/client.js';
import type { RealtimeClient, RealtimeOptions } from '../core/options.js';
import { shared } from './context.js';

/** A client and how many providers use it. */
export interface Entry {
  readonly key: string;
  readonly client: RealtimeClient;
  /** The options of the latest render: callbacks are read from here when they are called. */
  options: RealtimeOptions;
  users: number;
  /** Made by a provider, which ends it; otherwise the application's. */
  readonly own: boolean;
  /** Connected by a provider, which disconnects it. */
  connected: boolean;
}

const applications = new WeakMap<RealtimeClient, Entry>();

/** The entry of a client that the application made. */
export const entryOf = (client: RealtimeClient): Entry => {
  let entry = applications.get(client);
  if (!entry) applications.set(client, (entry = { key: '', client, options: { url: '', getToken: () => null }, users: 0, own: false, connected: false }));
  return entry;
};

/** The entry of a URL and a session: the same for all providers in a browser, a new one for each render on a server, where users must not meet. */
export const entryFor = (options: RealtimeOptions): Entry => {
  const browser = typeof window !== 'undefined';
  const key = JSON.stringify([options.url, options.sessionKey]);
  const known = browser && shared.entries.get(key);
  if (known) return known;
  const entry: Entry = {
    key,
    options,
    users: 0,
    own: true,
    connected: false,
    client: createRealtimeClient({
      ...options,
      getToken: (context) => entry.options.getToken(context),
      onResync: (resync) => entry.options.onResync?.(resync),
      onError: options.onError && ((error) => entry.options.onError?.(error)),
      onUnknown: (event) => entry.options.onUnknown?.(event),
      onInvalid: (event, issues) => entry.options.onInvalid?.(event, issues),
    }),
  };
  if (browser) shared.entries.set(key, entry);
  return entry;
};

const end = (entry: Entry): void => {
  if (entry.users) return;
  if (entry.own) entry.client.destroy();
  else if (entry.connected) entry.client.disconnect();
  entry.connected = false;
};

/** Released, and not ended yet: StrictMode takes it up again at once. Whoever comes anew does not find it any more. */
const released = new Set<Entry>();

/** Connects, and says how to let go. What was let go before ends first, so that a session never meets the one before it. */
export const acquire = (entry: Entry): (() => void) => {
  entry.users++;
  if (entry.own) shared.entries.set(entry.key, entry);
  released.delete(entry);
  released.forEach(end);
  released.clear();
  const { reason } = entry.client.getStatus() as { reason?: string };
  if (!entry.connected && (reason === 'not-started' || reason === 'closed')) {
    entry.connected = true;
    // What goes wrong is in the status, and goes to onError.
    entry.client.connect().catch(() => {});
  }
  return () => {
    if (--entry.users) return;
    released.add(entry);
    if (shared.entries.get(entry.key) === entry) shared.entries.delete(entry.key);
    setTimeout(() => {
      if (released.delete(entry)) end(entry);
    }, 0);
  };
};
