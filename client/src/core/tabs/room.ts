/**
 * The tabs of one browser that share a connection, and which of them leads.
 *
 * - At most one tab leads: the one that holds the room's Web Lock. The others wait for it in the browser's own queue.
 * - A leader that is closed is followed at once. One that is silent, such as a frozen one, loses the lock to a tab that has asked in vain.
 * - Stealing converges: whoever lost the lock is told, steps back and follows.
 *
 * The caller says with {@link RoomHost} what a change of leader means.
 */
import type { Clock, TabsPort } from '../options.js';

/** What tabs say to each other. `from` and `to` name a leader, or a socket of a follower. */
export type TabMessage =
  | { readonly say: 'who' }
  | { readonly say: 'here'; readonly from: string; readonly up: boolean }
  | { readonly say: 'down'; readonly from: string }
  /** A follower's message to the server. */
  | { readonly say: 'ask'; readonly from: string; readonly to: string; readonly text: string }
  /** An answer for one follower, or a frame for all. */
  | { readonly say: 'tell'; readonly from: string; readonly to?: string; readonly text: string };

/** A message that has a sender. */
export type Said = Exclude<TabMessage, { say: 'who' }>;

export interface RoomHost {
  /** Whether this tab, as leader, has a connection. */
  up(): boolean;
  /** Who leads has changed, or nobody does: sockets of before are of no use. */
  changed(): void;
  hear(message: Said): void;
  /** There are no locks for this page: it leads itself alone. */
  refused(): void;
}

/** Milliseconds in which a leader answers another tab, however busy. */
const ANSWER = 1000;
/** Milliseconds over which followers of a silent leader spread, so that one steals and the others hear of it. */
const SPREAD = 3000;
/** Milliseconds a leader may say nothing before it is asked whether it is there. */
const SILENCE = 15_000;
const PATIENCE = 10_000;

export class Room {
  readonly id: string;
  leader: string | undefined;
  private readonly name: string;
  private readonly port: TabsPort;
  private readonly clock: Clock;
  private readonly random: () => number;
  private readonly host: RoomHost;
  private readonly channel: ReturnType<TabsPort['channel']>;
  private readonly waiting = new Set<() => void>();
  private heard: number;
  private watch: unknown;
  private left = false;
  /** The request for the lock that counts, waiting or held. */
  private request: object | undefined;
  private withdraw: (() => void) | undefined;

  constructor(name: string, port: TabsPort, clock: Clock, random: () => number, host: RoomHost) {
    this.id = random().toString(36).slice(2);
    this.name = name;
    this.port = port;
    this.clock = clock;
    this.random = random;
    this.host = host;
    this.heard = clock.monotonic();
    this.channel = port.channel(name);
    this.channel.onmessage = ({ data }: { data: TabMessage }) => this.receive(data);
    this.queue();
    this.watchLater();
  }

  get leads(): boolean {
    return this.leader === this.id;
  }

  post(message: TabMessage): void {
    if (!this.left) this.channel.postMessage(message);
  }

  /** Settles when it is known that a leader answers, who may be this tab, or when the room is left. */
  settled(): Promise<void> {
    if (this.leads || this.left) return Promise.resolve();
    return new Promise((resolve) => {
      const { clock } = this;
      this.post({ say: 'who' });
      const timer = clock.setTimeout(() => this.queue(true), ANSWER + this.random() * SPREAD);
      const done = (): void => {
        clock.clearTimeout(timer);
        this.waiting.delete(done);
        resolve();
      };
      this.waiting.add(done);
    });
  }

  leave(): void {
    if (this.leads) this.post({ say: 'down', from: this.id });
    this.left = true;
    this.leader = this.request = undefined;
    if (this.withdraw) this.withdraw();
    this.clock.clearTimeout(this.watch);
    this.channel.close();
    this.settle();
  }

  private settle(): void {
    this.waiting.forEach((done) => done());
  }

  private receive(message: TabMessage): void {
    if (this.left) return;
    if (message.say === 'who') {
      if (this.leads) this.post({ say: 'here', from: this.id, up: this.host.up() });
      return;
    }
    // One that was frozen may not know yet that it has lost the lock.
    if (message.say === 'here' && !this.leads) {
      const { leader } = this;
      this.leader = message.from;
      if (leader !== undefined && leader !== message.from) this.host.changed();
      this.settle();
    }
    if (message.from === this.leader) this.heard = this.clock.monotonic();
    this.host.hear(message);
  }

  /** Waits for the lock, or takes it from a leader that does not answer. */
  private queue(steal = false): void {
    if (this.withdraw) this.withdraw();
    const mine = (this.request = {});
    const aborter = new AbortController();
    this.withdraw = () => aborter.abort();
    const hold = (): Promise<void> =>
      new Promise((release) => {
        if (this.request !== mine) return release();
        this.withdraw = release;
        this.leader = this.id;
        this.post({ say: 'here', from: this.id, up: false });
        this.settle();
        this.host.changed();
      });
    const end = (): void => {
      if (this.request !== mine) return;
      const stolen = this.leads;
      this.leader = stolen ? undefined : this.id;
      if (stolen) this.queue();
      else this.host.refused();
      this.settle();
      this.host.changed();
    };
    this.port.locks.request(this.name, steal ? { steal } : { signal: aborter.signal }, hold).then(end, end);
  }

  private watchLater(): void {
    const { clock } = this;
    const silent = (ms: number): boolean => !this.leads && this.leader !== undefined && clock.monotonic() - this.heard > ms;
    this.watch = clock.setTimeout(() => {
      if (!silent(SILENCE)) return this.watchLater();
      this.post({ say: 'who' });
      this.watch = clock.setTimeout(() => {
        if (silent(SILENCE)) {
          this.leader = undefined;
          this.host.changed();
        }
        this.watchLater();
      }, PATIENCE);
    }, SILENCE + this.random() * PATIENCE);
  }
}
