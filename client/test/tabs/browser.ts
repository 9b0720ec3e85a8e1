/** A browser's tabs, locks and channels under a virtual clock, and a server at the end of their sockets. */
import { createRealtimeClient, shareTabs } from '../../src/index.js';
import type { Clock, PageEvent, RealtimeClient, RealtimeOptions, Resync, TabsPort } from '../../src/index.js';
import { createFakeClock } from '../../src/testing/clock.js';
import { createProtocolServer } from '../../src/testing/protocol-server.js';
import { lineOf } from '../model/calm.js';
import { randomOf } from '../model/world.js';

export interface Tab {
  readonly client: RealtimeClient;
  readonly heard: number[];
  readonly resyncs: Resync[];
  readonly errors: string[];
  tokens: number;
  tell(event: PageEvent): void;
  /** The browser stops its tasks; what would have happened happens when it thaws. */
  freeze(): void;
  thaw(): void;
  /** The process ends: no handler runs any more. */
  kill(): void;
}

interface Request {
  readonly name: string;
  readonly grant: () => Promise<unknown>;
  readonly lose: (why: Error) => void;
  readonly done: () => void;
}

export const createBrowser = (seed = 1) => {
  const clock = createFakeClock(undefined, 30);
  const random = randomOf(seed);
  const server = createProtocolServer({
    now: clock.now,
    verify: (token) => {
      const [tenantId = '', userId = '', expiresAt] = token.split('/');
      return expiresAt === undefined ? { error: 'no token' } : { tenantId, userId, expiresAt: +expiresAt };
    },
  });
  const sweep = (): void => {
    server.sweep();
    clock.setTimeout(sweep, 60_000);
  };
  sweep();
  let connects = 0;
  let pings = 0;
  let refuse = false;

  // Web Locks: exclusive, first come first served; stealing takes from the holder, and leaves those that wait.
  const held = new Map<string, Request>();
  const waiting: Request[] = [];
  const grantNext = (name: string): void => {
    if (held.has(name)) return;
    const at = waiting.findIndex((request) => request.name === name);
    const next = at >= 0 && waiting.splice(at, 1)[0];
    if (next) hold(next);
  };
  const hold = (request: Request): void => {
    held.set(request.name, request);
    clock.setTimeout(() => {
      if (held.get(request.name) === request)
        void request.grant().then(() => {
          if (held.get(request.name) !== request) return;
          held.delete(request.name);
          request.done();
          grantNext(request.name);
        });
    }, 1);
  };
  const channels = new Map<string, Set<(data: unknown) => void>>();

  const open = (options: Partial<RealtimeOptions> = {}): Tab => {
    let dead = false;
    let frozen: (() => void)[] | undefined;
    /** Runs a task of the tab: now, when it thaws, or never. */
    const task = (run: () => void): void => {
      if (dead) return;
      if (frozen) frozen.push(run);
      else run();
    };
    const mine: Request[] = [];
    const tabClock: Clock = { ...clock, setTimeout: (run, ms) => clock.setTimeout(() => task(run), ms) };
    const tabs: TabsPort = {
      locks: {
        request: (name, { signal, steal }, grant) =>
          new Promise((resolve, reject) => {
            const request: Request = {
              name,
              grant: () => new Promise((release) => task(() => void grant().then(() => release(undefined)))),
              lose: (why) => task(() => reject(why)),
              done: () => task(() => resolve(undefined)),
            };
            mine.push(request);
            const before = held.get(name);
            if (steal) {
              if (before) before.lose(new Error('stolen'));
              hold(request);
            } else {
              if (signal)
                signal.addEventListener('abort', () => {
                  const at = waiting.indexOf(request);
                  if (at >= 0) waiting.splice(at, 1);
                  reject(new Error('aborted'));
                });
              waiting.push(request);
              grantNext(name);
            }
          }),
      },
      channel(name) {
        const all = channels.get(name) || new Set();
        channels.set(name, all);
        const hear = (data: unknown): void => task(() => channel.onmessage && channel.onmessage({ data } as never));
        all.add(hear);
        const channel: ReturnType<TabsPort['channel']> = {
          onmessage: null,
          postMessage(message) {
            const text = JSON.stringify(message);
            for (const other of all) if (other !== hear) clock.setTimeout(() => all.has(other) && other(JSON.parse(text)), 1);
          },
          close: () => void all.delete(hear),
        };
        mine.push({ name: '', grant: async () => {}, lose: () => all.delete(hear), done: () => {} });
        return channel;
      },
    };
    const pages = new Set<(event: PageEvent) => void>();
    const real = lineOf(clock, server, 20);
    const socket = () => {
      connects++;
      const line = real();
      if (refuse) line.close();
      let onopen: ((event: never) => void) | null = null;
      let onmessage: ((event: never) => void) | null = null;
      let onclose: ((event: never) => void) | null = null;
      line.onopen = (event: never) => task(() => onopen && onopen(event));
      line.onmessage = (event: never) => task(() => onmessage && onmessage(event));
      line.onclose = (event: never) => task(() => onclose && onclose(event));
      if (refuse) clock.setTimeout(() => onclose && onclose({ code: 1006 } as never), 20);
      return {
        set onopen(f: typeof onopen) {
          onopen = f;
        },
        set onmessage(f: typeof onmessage) {
          onmessage = f;
        },
        set onclose(f: typeof onclose) {
          onclose = f;
        },
        onerror: null,
        send(text: string) {
          if ((JSON.parse(text) as { action: string }).action === 'ping') pings++;
          line.send(text);
        },
        close: () => line.close(),
      };
    };
    const heard: number[] = [];
    const resyncs: Resync[] = [];
    const errors: string[] = [];
    let tab: Tab | undefined;
    const client = createRealtimeClient({
      url: 'ws://tabs',
      sessionKey: 'a/u',
      share: shareTabs,
      history: 0,
      getToken: () => {
        if (tab) tab.tokens++;
        return `a/u/${clock.now() + 3_600_000}`;
      },
      onResync: (resync) => void resyncs.push(resync),
      onError: (error) => errors.push(`${error.code} ${error.message}`),
      ...options,
      ports: {
        clock: tabClock,
        random: randomOf(Math.floor(random() * 2 ** 31)),
        socket,
        tabs,
        page: {
          isVisible: () => true,
          subscribe: (listener) => {
            pages.add(listener);
            return () => pages.delete(listener);
          },
        },
        ...options.ports,
      },
    });
    client.subscribe('*', (event) => heard.push(event.sequence));
    tab = {
      client,
      heard,
      resyncs,
      errors,
      tokens: 0,
      tell: (event) => task(() => pages.forEach((listener) => listener(event))),
      freeze: () => void (frozen ||= []),
      thaw() {
        const tasks = frozen || [];
        frozen = undefined;
        tasks.forEach(task);
      },
      kill() {
        dead = true;
        for (const request of mine) {
          const at = waiting.indexOf(request);
          if (at >= 0) waiting.splice(at, 1);
          if (!request.name) request.lose(new Error('ended'));
          if (held.get(request.name) === request) {
            held.delete(request.name);
            grantNext(request.name);
          }
        }
      },
    };
    client.connect().catch(() => {});
    return tab;
  };

  return {
    clock,
    server,
    open,
    publish: () => server.publish('a', { type: 'goal.paused', data: { goalId: 'g', pausedAt: '', pausedBy: 'u' } }).sequence,
    /** Handshakes so far. */
    get connects() {
      return connects;
    },
    /** Pings that went to the server so far. */
    get pings() {
      return pings;
    },
    /** Tabs that have the lock, or wait for it. */
    get locks() {
      return [held.size, waiting.length];
    },
    /** The server is not to be reached. */
    outage(on: boolean) {
      refuse = on;
      if (on) for (const connection of server.connections()) connection.end();
    },
  };
};
