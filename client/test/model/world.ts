/**
 * The real core against a model of the server and of the network, under a virtual clock.
 *
 * A scenario is a list of things that happen, drawn from a seed. The world plays it, then ends all faults, and holds what the application saw to what the server knows.
 */
import type { createRealtimeClient } from '../../src/core/client.js';
import type { PageEvent, RealtimeClient, Resync, WebSocketLike } from '../../src/core/options.js';
import { createFakeClock } from '../../src/testing/clock.js';
import { createProtocolServer } from '../../src/testing/protocol-server.js';
import type { ServerConnection, StoredEvent } from '../../src/testing/protocol-server.js';

export type Create = typeof createRealtimeClient;

/** A generator of random numbers from 0 to below 1 (splitmix32). */
export const randomOf = (seed: number): (() => number) => {
  let a = seed | 0;
  return () => {
    a = (a + 0x9e3779b9) | 0;
    let t = a ^ (a >>> 16);
    t = Math.imul(t, 0x21f0aaad);
    t ^= t >>> 15;
    t = Math.imul(t, 0x735a2d97);
    return ((t ^ (t >>> 15)) >>> 0) / 4294967296;
  };
};

export interface Op {
  readonly at: number;
  readonly what: (typeof KINDS)[number];
  readonly n: number;
}
export interface Scenario {
  readonly seed: number;
  readonly net: Net;
  readonly ops: readonly Op[];
}
export interface Net {
  /** Milliseconds, least and most, of a frame's way. */
  readonly delay: readonly [number, number];
  readonly lose: number;
  readonly double: number;
  readonly refuse: number;
  readonly tokenLife: number;
  readonly tokenFails: number;
  readonly tokenMs: number;
  readonly loadMs: number;
  readonly rotate: readonly [number, number] | undefined;
  readonly replayEvents: number;
  readonly batches: boolean;
}

const KINDS = [
  'publish', 'publish', 'publish', 'publish', 'publish', 'burst', 'flood', 'drop', 'drop', 'halfOpen', 'halfOpen', 'outage', 'sleep', 'frozen', 'setBack', 'hidden', 'visible', 'hide', 'show',
  'offline', 'online', 'interaction', 'restart', 'truncate', 'session', 'session', 'session', 'rotate', 'drain', 'gateway', 'expire', 'busy', 'probe', 'replace', 'junk',
] as const;

/** The scenario of a seed. */
export const scenarioOf = (seed: number): Scenario => {
  const random = randomOf(seed);
  const pick = <T>(...of: readonly T[]): T => of[Math.floor(random() * of.length)] as T;
  const net: Net = {
    delay: pick([5, 5], [5, 40], [20, 400], [5, 3000]),
    lose: pick(0, 0, 0.01, 0.1, 0.3),
    double: pick(0, 0, 0.02, 0.2),
    refuse: pick(0, 0, 0.2, 0.6),
    tokenLife: pick(60_000, 300_000, 3_600_000),
    tokenFails: pick(0, 0, 0.1),
    tokenMs: pick(0, 50, 2000),
    loadMs: pick(0, 300, 3000, 20_000),
    rotate: pick(undefined, [60_000, 90_000] as const, [20_000, 200_000] as const),
    replayEvents: pick(100, 10),
    batches: pick(true, true, false),
  };
  const ops: Op[] = [];
  const length = pick(120_000, 600_000, 1_800_000);
  const count = 10 + Math.floor(random() * 50);
  for (let i = 0; i < count; i++) ops.push({ at: Math.floor(random() * length), what: pick(...KINDS), n: random() });
  return { seed, net, ops: ops.sort((a, b) => a.at - b.at) };
};

export interface Outcome {
  /** What was broken; undefined when nothing was. */
  readonly broken?: string;
  readonly log: readonly string[];
  readonly delivered: number;
  readonly resyncs: number;
  readonly connectedMs: number;
  readonly totalMs: number;
}

class Broken extends Error {}

export const play = async (create: Create, { seed, net, ops }: Scenario, verbose = false): Promise<Outcome> => {
  const random = randomOf(seed ^ 0x5eed);
  const clock = createFakeClock(Date.UTC(2026, 0, 5, 9), 8);
  // The server has a clock of its own, which nobody sets.
  const skew = Math.floor((random() - 0.5) * 600_000);
  let set = 0;
  let setAt = -Infinity;
  const serverNow = (): number => clock.now() + skew - set;
  const lines: string[] = [];
  const say = (what: () => string): void => {
    if (verbose) lines.push((clock.monotonic() / 1000).toFixed(3).padStart(10) + '  ' + what());
  };
  let broken: string | undefined;
  const fail = (why: string): void => {
    broken ||= why;
    say(() => 'BROKEN ' + why);
  };

  // The network
  let faulty = true;
  let loseAll = false;
  let slept = 0;
  let down = false;
  let busy = false;
  let lostFrames = 0;
  const delay = (): number => (faulty ? net.delay[0] + random() * (net.delay[1] - net.delay[0]) : 5);
  interface Line {
    readonly socket: Socket;
    server?: ServerConnection;
    dead: boolean;
    at: number;
    heard: number;
    order: number;
    asked?: { readonly ref: string; readonly at: number } | undefined;
  }
  const sockets = new Set<Line>();
  class Socket implements WebSocketLike {
    onopen: ((event: never) => void) | null = null;
    onmessage: ((event: never) => void) | null = null;
    onclose: ((event: never) => void) | null = null;
    onerror: ((event: never) => void) | null = null;
    closed = false;
    readonly line: Line = { socket: this, dead: false, at: clock.monotonic(), heard: clock.monotonic(), order: 0 };
    constructor() {
      sockets.add(this.line);
      const refused = down || (faulty && random() < net.refuse);
      clock.setTimeout(() => {
        if (this.closed) return;
        if (refused) return this.lose(1006);
        const { line } = this;
        line.server = server.connect({
          post: (message) => {
            const text = JSON.stringify(message);
            const lose = loseAll || (faulty && random() < net.lose);
            if (lose) lostFrames++;
            const copies = lose ? 0 : faulty && random() < net.double ? 2 : 1;
            for (let i = 0; i < copies; i++)
              clock.setTimeout(() => {
                if (line.dead || this.closed) return;
                say(() => '<- ' + text.slice(0, 160));
                if (line.asked && text.indexOf(JSON.stringify(line.asked.ref)) >= 0) line.asked = undefined;
                if (this.onmessage) this.onmessage({ data: text } as never);
              }, delay());
          },
          close: (code) => clock.setTimeout(() => this.lose(code), delay() + net.delay[1]),
        });
        if (this.onopen) this.onopen({} as never);
      }, delay());
    }
    send(data: string): void {
      const { line } = this;
      if (this.closed) throw new Error('closed');
      say(() => '-> ' + data.replace(/"token":"[^"]*"/, '"token":…'));
      line.heard = clock.monotonic();
      const { action, ref } = JSON.parse(data) as { action: string; ref: string };
      if (action === 'ping') {
        if (line.asked && line.asked.ref !== ref && line.heard + slept - line.asked.at < 9990) fail('two questions at once on one socket');
        line.asked = { ref, at: line.heard + slept };
      }
      if (line.dead || (faulty && random() < net.lose / 2)) return;
      // TCP keeps the order of what one side sends; the functions that answer do not.
      line.order = Math.max(line.order + 1, clock.monotonic() + delay());
      clock.setTimeout(() => !line.dead && line.server && line.server.receive(data), line.order - clock.monotonic());
    }
    close(): void {
      if (this.closed) return;
      this.closed = true;
      sockets.delete(this.line);
      const { line } = this;
      clock.setTimeout(() => line.server && line.server.left(), line.dead ? 600_000 : delay());
    }
    /** The connection ends, and the client hears of it. */
    lose(code: number): void {
      if (this.closed || this.line.dead) return;
      this.closed = true;
      sockets.delete(this.line);
      if (this.line.server) this.line.server.left();
      say(() => 'closed ' + code);
      if (this.onclose) this.onclose({ code } as never);
    }
  }
  const dropAll = (): void => Array.from(sockets).forEach(({ socket }) => socket.lose(1006));

  // The server
  const server = createProtocolServer({
    now: serverNow,
    limits: { replayEvents: net.replayEvents, batchBytes: net.batches ? 32_768 : 1200 },
    verify: (token) => {
      const [tenantId, userId, expiresAt] = token.split('|') as [string, string, string];
      return +expiresAt < revokedBefore ? { error: 'revoked' } : { tenantId, userId, expiresAt: +expiresAt };
    },
    refuse: () => (busy ? { code: random() < 0.5 ? 'RATE_LIMIT_EXCEEDED' : 'INTERNAL_ERROR', retryAfterMs: random() < 0.5 ? 3000 : undefined } : undefined),
  });
  let revokedBefore = 0;
  const everyMinute = (): void => {
    server.sweep();
    clock.setTimeout(everyMinute, 60_000);
  };
  const gateway = (): void => {
    for (const { socket, heard, at } of Array.from(sockets)) if (clock.monotonic() - heard > 600_000 || clock.monotonic() - at > 7_200_000) socket.lose(1001);
    clock.setTimeout(gateway, 10_000);
  };
  everyMinute();
  gateway();

  // The application
  let tenant = 'a';
  let user = 'u';
  const key = (): string => tenant + '/' + user;
  let expected: number | undefined;
  let firsts = 0;
  let loading = 0;
  let delivered = 0;
  let resyncs = 0;
  let holes = 0;
  let mostMissed = 0;
  let state = new Map<string, number>();
  const truth = new Map<string, Map<string, number>>();
  const truthOf = (id: string): Map<string, number> => {
    let values = truth.get(id);
    if (!values) truth.set(id, (values = new Map()));
    return values;
  };
  let published = 0;
  const publish = (): StoredEvent => {
    const goalId = 'g' + (published % 7);
    const event = server.publish(tenant, { type: 'goal.paused', eventId: 'p' + ++published, data: { goalId, pausedAt: '', pausedBy: 'u' } });
    truthOf(tenant).set(goalId, published);
    return event;
  };
  const onResync = (resync: Resync): Promise<void> | void => {
    const { reason, sequence, missedFrom } = resync;
    say(() => 'resync ' + JSON.stringify(resync));
    resyncs++;
    if (reason === 'first') {
      if (++firsts > 1) fail('a second first resync in one session');
    } else {
      if (expected === undefined) fail('a resync before the first');
      // Held-back events are not delivered, so the first missing one may be older than the position, but never newer.
      else if (missedFrom === undefined || missedFrom > expected) fail('a resync that hides ' + expected + ': ' + JSON.stringify(resync));
      if ((reason === 'too-old' || reason === 'log-restarted') && --holes < 0) fail('more resyncs than holes: ' + reason);
      if (reason === 'unhealed' && !lostFrames && !busyEver) fail('unhealed, and no frame was lost');
      if ((reason === 'too-many' || reason === 'overflow') && mostMissed < 1000) fail(reason + ', and never were so many missed');
    }
    if (sequence > server.head(tenant)) fail('a resync beyond the head');
    expected = sequence + 1;
    const mine = ++loadId;
    loading = clock.monotonic();
    const load = (): void => {
      if (mine !== loadId) return;
      loading = 0;
      // What was read when the answer was made, early in the wait. Newer events come after it.
      state = snapshot;
    };
    const snapshot = new Map(truthOf(tenant));
    if (!net.loadMs) return load();
    const ms = random() * net.loadMs;
    // An application that takes longer than it has gives up.
    clock.setTimeout(load, Math.min(ms, 9990));
    return new Promise((resolve) => clock.setTimeout(resolve, ms));
  };
  let loadId = 0;
  let busyEver = false;
  let tokens = 0;
  let connectedMs = 0;
  let connectedAt: number | undefined;

  const page = { visible: true, listeners: new Set<(event: PageEvent) => void>() };
  const tell = (event: PageEvent): void => page.listeners.forEach((listener) => listener(event));
  const clientTimers = new Set<unknown>();
  const client: RealtimeClient = create({
    url: 'ws://model',
    sessionKey: key(),
    rotateAfterMs: net.rotate,
    onResync,
    onError: (error) => {
      say(() => 'error ' + error.code + ' ' + error.message);
      if (error.code === 'HANDLER') fail('a handler threw: ' + String(error.cause));
    },
    getToken: ({ reason, signal }) => {
      say(() => 'token ' + reason);
      if (++tokens > 1) fail('two tokens asked for at once');
      const mine = [tenant, user] as const;
      return new Promise((resolve, reject) => {
        const end = (): void => {
          if (!ended) tokens--;
          ended = true;
        };
        let ended = false;
        signal.addEventListener('abort', end);
        clock.setTimeout(() => {
          end();
          if (faulty && random() < net.tokenFails) reject(new Error('no token'));
          else resolve([...mine, serverNow() + net.tokenLife].join('|'));
        }, net.tokenMs * random());
      });
    },
    ports: {
      random,
      socket: () => {
        if (sockets.size > 3) fail('more than three sockets');
        return new Socket();
      },
      clock: {
        now: clock.now,
        monotonic: clock.monotonic,
        setTimeout: (run, ms) => {
          const id = clock.setTimeout(() => {
            clientTimers.delete(id);
            run();
          }, ms);
          clientTimers.add(id);
          if (clientTimers.size > 1) fail('two timers at once');
          return id;
        },
        clearTimeout: (id) => {
          clientTimers.delete(id);
          clock.clearTimeout(id);
        },
      },
      page: {
        isVisible: () => page.visible,
        subscribe: (listener) => {
          page.listeners.add(listener);
          return () => page.listeners.delete(listener);
        },
      },
    },
  });
  client.subscribe('*', (event) => {
    say(() => 'event ' + event.sequence);
    delivered++;
    if (event.tenantId !== tenant) fail('an event of ' + event.tenantId + ' in a session of ' + tenant);
    if (event.sequence !== expected) fail('got ' + event.sequence + ', expected ' + expected);
    if (loading && clock.monotonic() - loading < 9999) fail('an event while state is being loaded');
    expected = event.sequence + 1;
    if (event.type === 'goal.paused') state.set(event.data.goalId, +event.eventId.slice(1));
  });
  client.onStatus((status) => {
    say(() => 'status ' + JSON.stringify(status));
    if (connectedAt !== undefined) connectedMs += clock.monotonic() - connectedAt;
    connectedAt = status.state === 'connected' ? clock.monotonic() : undefined;
    if (status.state === 'connected' && (status.tenantId !== tenant || status.userId !== user)) fail('connected as ' + status.tenantId + '/' + status.userId);
    if (status.state === 'error') fail('stopped: ' + status.error.message);
  });
  void client.connect().catch(() => {});

  const switchTo = (n: number): void => {
    if (n < 0.5) tenant = tenant === 'a' ? 'b' : 'a';
    else user = user === 'u' ? 'v' : 'u';
    expected = undefined;
    firsts = 0;
    loading = 0;
    loadId++;
    state = new Map();
    client.setSession(key());
  };
  /** The machine or the page wakes, and then hears that its connection has ended. */
  const endAfter = (wake: () => void): void => {
    const before = client.getStatus();
    // One in the making is no reason to hurry: it has not been asked.
    const asked = sockets.size === 1 && before.state === 'connected' && Array.from(sockets).every(({ server: peer }) => peer && peer.id === before.connectionId);
    wake();
    dropAll();
    const status = client.getStatus();
    if (asked && !busyEver && status.state === 'reconnecting' && status.phase === 'waiting' && status.retryAt !== clock.now()) fail('it waits for its next attempt after a wake');
  };
  const act = ({ what, n }: Op): void => {
    say(() => '* ' + what);
    switch (what) {
      case 'publish':
        publish();
        break;
      case 'burst':
        for (let i = 0; i < 5 + n * 150; i++) publish();
        break;
      case 'flood':
        if (n < 0.7) break;
        mostMissed = 1001;
        for (let i = 0; i < 1200 * n; i++) publish();
        break;
      case 'drop':
        dropAll();
        break;
      case 'halfOpen':
        sockets.forEach((line) => (line.dead = true));
        break;
      case 'outage':
        down = true;
        dropAll();
        clock.setTimeout(() => (down = false), n * 120_000);
        break;
      case 'sleep':
        sockets.forEach((line) => n < 0.7 && (line.dead = true));
        if (n < 0.7 && page.visible) {
          const dead = Array.from(sockets);
          const before = clock.monotonic() - setAt > 45_000 ? set : -1;
          clock.setTimeout(() => {
            // Not where the clock was set at the same time: both together may look like nothing.
            if (page.visible && n > 0.01 && set === before && dead.some((line) => sockets.has(line))) fail('a socket is believed 45 s after sleep');
          }, 45_000);
        }
        slept += n * 3_600_000;
        // A socket that has not died silently may be found closed before anything else runs.
        if (n < 0.85) clock.sleep(n * 3_600_000);
        else endAfter(() => clock.sleep(n * 3_600_000));
        break;
      case 'frozen':
        // The browser ends a frozen page's socket, and says so right after it has told the page to go on.
        endAfter(() => tell('resume'));
        break;
      case 'setBack':
        // The server's clock does not follow.
        setAt = clock.monotonic();
        set -= n * 1_800_000;
        clock.jump(-n * 1_800_000);
        break;
      case 'visible':
      case 'hidden':
        page.visible = what === 'visible';
        tell(what);
        break;
      case 'hide':
      case 'show':
      case 'offline':
      case 'online':
      case 'interaction':
        tell(what);
        break;
      case 'restart':
        server.restart(tenant);
        holes++;
        break;
      case 'truncate':
        server.truncate(tenant);
        holes++;
        break;
      case 'session':
        switchTo(n);
        // In the middle of whatever the first switch has begun.
        if (n > 0.3) clock.setTimeout(() => faulty && switchTo(1 - n), n * 1000);
        break;
      case 'rotate':
        server.connections().forEach((c) => c.control('rotate', { withinMs: 5000 * n }));
        break;
      case 'drain':
        server.connections().forEach((c) => c.control('connection_error', { error: 'maintenance', code: 'INTERNAL_ERROR', reason: 'draining' }));
        break;
      case 'gateway':
        server.connections().forEach((c) => c.post({ message: 'Internal server error', connectionId: c.id, requestId: 'r' }));
        break;
      case 'expire':
        revokedBefore = serverNow() + net.tokenLife - 1;
        server.connections().forEach((c) => c.end({ code: 'UNAUTHORIZED', reason: 'token_expired' }));
        break;
      case 'busy':
        busy = busyEver = true;
        clock.setTimeout(() => (busy = false), n * 30_000);
        break;
      case 'probe':
        void client.probe();
        break;
      case 'replace':
        server.connections().forEach((c) => c.end({ code: 'FORBIDDEN', reason: 'replaced' }));
        break;
      case 'junk':
        server.connections().forEach((c) => [null, 7, {}, { type: 'pong', data: {} }, { type: 'batch', data: {} }, { type: 'goal.paused', sequence: 0.5, data: {} }, { type: 'x', stream: 's', data: {}, sequence: 1 }].forEach((m) => c.post(m as object)));
        break;
    }
  };
  let resumedAt = 0;
  try {
    for (const op of ops) {
      await clock.advance(Math.max(0, op.at - resumedAt));
      resumedAt = op.at;
      if (broken) throw new Broken();
      act(op);
    }
    // All faults end. What was lost before has to be found without anything new.
    await clock.advance(net.delay[1] + 1000);
    faulty = down = busy = false;
    revokedBefore = 0;
    page.visible = true;
    tell('show');
    tell('online');
    tell('visible');
    client.retryNow();
    const last = publish();
    await clock.advance(90_000);
    if (client.getStatus().state !== 'connected') fail('not connected in the end: ' + JSON.stringify(client.getStatus()));
    if (expected !== last.sequence + 1) fail('at ' + expected + ' in the end, and the head is ' + last.sequence);
    // One event is lost for good: the next one shows it, and it is fetched.
    loseAll = true;
    publish();
    loseAll = false;
    const final = publish();
    await clock.advance(15_000);
    if (expected !== final.sequence + 1) fail('a gap did not close: at ' + expected + ', the head is ' + final.sequence);
    const real = truthOf(tenant);
    for (const [goal, value] of real) if (state.get(goal) !== value) fail('the state of ' + goal + ' is ' + state.get(goal) + ', not ' + value);
    if (!(await Promise.race([client.probe(), clock.advance(11_000)]))) fail('a probe says no');
    const open = (): number => Array.from(sockets).filter((line) => !line.dead).length;
    // A rotation may be under way; the next is not before 20 s.
    if (open() > 1) await clock.advance(5000);
    if (open() !== 1) fail(open() + ' sockets in the end');
    if (page.listeners.size !== 1) fail(page.listeners.size + ' listeners to the page');
    client.destroy();
    await clock.advance(60_000);
    if (Array.from(sockets).length || clientTimers.size || page.listeners.size) fail('something is left after destroy');
  } catch (error) {
    if (!(error instanceof Broken)) fail(error instanceof Error ? (error.stack as string) : String(error));
  }
  if (connectedAt !== undefined) connectedMs += clock.monotonic() - connectedAt;
  return { ...(broken !== undefined && { broken }), log: lines, delivered, resyncs, connectedMs, totalMs: clock.monotonic() };
};

/** The smallest list of things that happen that still breaks it. */
export const shrink = async (create: Create, scenario: Scenario): Promise<Scenario> => {
  let best = scenario;
  for (let size = Math.ceil(best.ops.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let i = 0; i < best.ops.length; ) {
      const candidate = { ...best, ops: best.ops.slice(0, i).concat(best.ops.slice(i + size)) };
      if ((await play(create, candidate)).broken !== undefined) best = candidate;
      else i += size;
    }
  }
  return best;
};
