import { systemClock } from '../clock.js';
import type { RealtimeOptions, Share, TabsPort, WebSocketLike } from '../options.js';
import { browserPage } from '../page.js';
import { channelLine, Relay } from './relay.js';
import type { Line } from './relay.js';
import { Room } from './room.js';

/** In the place of a follower's token: the leader's counts. */
const NO_TOKEN = 'shared';

const browserTabs = (): TabsPort | undefined =>
  typeof navigator !== 'undefined' && navigator.locks && typeof BroadcastChannel !== 'undefined'
    ? { locks: navigator.locks as TabsPort['locks'], channel: (name) => new BroadcastChannel(name) }
    : undefined;

/**
 * One connection for all tabs of a browser that have the same `url` and `sessionKey`: one of them leads, the others hear what it hears. Each has its own position, so that what a tab missed, asleep or new, is fetched for it. Only the leader calls getToken.
 *
 * A leader that is closed or frozen is replaced by another tab, within seconds. Where there are no Web Locks, such as outside a secure context, or no `sessionKey`, each tab has its own connection; that is said once, to `logger` or else on the console.
 *
 * A follower's counters in {@link RealtimeStats} are of its way to the leader.
 *
 * @example
 * ```ts
 * const client = createRealtimeClient({ url, getToken, sessionKey: `${tenantId}/${userId}`, share: shareTabs });
 * ```
 */
export const shareTabs: Share = (options, client) => {
  const { clock = systemClock, random = Math.random, page = browserPage(), socket: open = (url: string): WebSocketLike => new WebSocket(url), tabs } = options.ports || {};
  let port: TabsPort | undefined;
  let session: string | null | undefined;
  let room: Room | undefined;
  let relay: Relay | undefined;
  /** Whether the latest token was the leader's. */
  let led = false;
  let said = false;
  let ids = 0;
  let nudge = (): void => {};
  const lines = new Set<Line>();
  const forget = (line: Line): void => void lines.delete(line);

  const alone = (reason: string): void => {
    if (said) return;
    said = true;
    if (options.logger) options.logger({ level: 'warn', event: 'not-shared', fields: { reason } });
    else console.warn('Realtime is not shared between tabs: ' + reason);
  };
  const endAll = (): void => lines.forEach((line) => line.end());
  const leave = (): void => {
    if (!room) return;
    room.leave();
    room = relay = undefined;
    endAll();
  };
  const enter = (): Room | undefined => {
    const key = client.session();
    if (room && key === session) return room;
    leave();
    port ||= tabs || browserTabs();
    if (!port || !key) {
      alone(port ? 'there is no sessionKey' : 'there are no Web Locks, or this is no secure context');
      return undefined;
    }
    session = key;
    room = new Room(JSON.stringify(['@purposepath/realtime', options.url, key]), port, clock, random, {
      up: () => !!relay && relay.up,
      changed() {
        endAll();
        // The next attempt shall not wait: nothing has failed.
        nudge();
      },
      refused: () => alone('the browser refuses this page a lock'),
      hear(message) {
        if (message.say === 'ask') {
          if (relay && room && message.to === room.id) relay.take(message);
        } else if (message.say === 'here') {
          if (message.up && !lines.size) nudge();
        } else lines.forEach((line) => line.hear(message));
      },
    });
    relay = new Relay(room, clock);
    return room;
  };

  client.onStatus((status) => {
    const { state } = status;
    if (state !== 'disconnected' && state !== 'error') return;
    if (relay && (state === 'error' || status.reason === 'replaced')) relay.stop();
    leave();
  });
  const follows = (): boolean => !!room && !room.leads;
  const shared: RealtimeOptions = {
    ...options,
    // Keeping the connection and handing it over is the leader's business.
    get ping() {
      return follows() ? { ...options.ping, intervalMs: 1e12, visibleIntervalMs: undefined } : options.ping;
    },
    get rotateAfterMs() {
      return follows() ? false : options.rotateAfterMs;
    },
    getToken(context) {
      const here = enter();
      if (!here) return options.getToken(context);
      return here.settled().then(() => {
        led = here.leads;
        return led && !context.signal.aborted ? options.getToken(context) : NO_TOKEN;
      });
    },
    ports: {
      ...options.ports,
      page: {
        isVisible: page.isVisible,
        subscribe(listener) {
          nudge = () => listener('online');
          const stop = page.subscribe((event) => {
            listener(event);
            // Whoever is about to stand still must not lead, nor wait for it.
            if (event === 'hide' || event === 'freeze') leave();
          });
          return () => {
            nudge = () => {};
            stop();
          };
        },
      },
      socket(url) {
        if (!room || !relay) return open(url);
        const line = room.leads && led ? relay.tap(open(url), forget) : channelLine(room, room.id + '.' + ++ids, forget);
        lines.add(line);
        // Between token and socket the lead has changed hands.
        if (room.leads !== led) void Promise.resolve().then(endAll);
        return line.socket;
      },
    },
  };
  return shared;
};
