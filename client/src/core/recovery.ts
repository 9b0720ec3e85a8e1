/**
 * Order and recovery: which events are handed on, and what is done about those that are missing.
 *
 * - Events are handed on in the order of their numbers, each once.
 * - The position moves before an event is handed on.
 * - An answer moves the position only where the protocol says so; otherwise it says what there is to wait for.
 * - What can't be had is told once, as a resync.
 *
 * The caller ends each step with {@link settle}.
 */
import type { Delivery, Effect, Envelope, Link, State } from './state.js';
import type { ResyncReason } from './options.js';

/** A step in the making: the next state, and what is to be done. */
export interface Draft extends State {
  fx: Effect[];
  /** Events of this step that are not among the effects yet. */
  out: Delivery[];
  /** From 0 to below 1, drawn once for the step. */
  readonly rnd: number;
}

/** Events kept that came too early: before their predecessor, or before auth.success. */
const HELD = 256;
/** Milliseconds the application has to load its state. */
const LOADING = 10_000;
/** Numbers begin at the Unix time in milliseconds: a log that began anew is far ahead, or behind. */
const RESTARTED = 1e6;

const maxReplay = (s: State): number => s.options.recovery?.maxReplay ?? 1000;

/** Whether something is known to be missing; never without a position. */
const isBehind = (s: State): boolean => s.head > (s.position as number);

const hand = (s: Draft, event: Envelope): void => {
  const replayed = event.sequence !== undefined && event.sequence <= s.replayTo;
  if (replayed) s.count.replayed++;
  s.count.lastEventAt = s.now;
  s.out.push({ event, replayed, receivedAt: s.now });
};

/** Brings what the step hands on among its effects, or where it waits until state is loaded. */
const flush = (s: Draft): void => {
  if (!s.out.length) return;
  if (s.hold) s.queue = s.queue.concat(s.out);
  else s.fx.push({ do: 'deliver', events: s.out });
  s.out = [];
};

/** Takes one event from a socket. */
export const accept = (s: Draft, link: Link, event: Envelope): void => {
  const n = event.sequence;
  if (event.stream !== undefined) return;
  if (!link.live) {
    if (link.early.length < HELD) link.early = link.early.concat(event);
    if (n) link.top = Math.max(link.top, n);
    return;
  }
  // A position belongs to its tenant: another tenant's number must not move it.
  if (event.tenantId !== undefined && event.tenantId !== s.tenant) return;
  s.count.received++;
  if (n === undefined) return hand(s, event);
  if (s.position === undefined) return;
  s.head = Math.max(s.head, n);
  if (n <= s.position || s.held.has(n)) s.count.duplicates++;
  else if (n === s.position + 1) {
    s.position = n;
    hand(s, event);
  } else {
    if (!s.held.size) s.count.gaps++;
    // Beyond the bound it is not kept: it is above the position, so the replay that closes the gap brings it again.
    if (s.held.size < HELD) s.held = new Map(s.held).set(n, event);
  }
};

/** Sets the position, and tells the application to load its state. */
export const resync = (s: Draft, reason: ResyncReason, sequence: number): void => {
  const { fx } = s;
  flush(s);
  // What waits for the former loading is part of what is loaded now.
  const missedFrom = s.queue.find(({ event }) => event.sequence)?.event.sequence ?? (s.position && s.position + 1);
  s.position = sequence;
  s.head = Math.max(sequence, ...s.held.keys());
  s.queue = [];
  s.hold = ++s.ids;
  s.timers.hold = s.t + LOADING;
  fx.push({ do: 'resync', id: s.hold, resync: { reason, sequence, missedFrom } });
};

/** Reads what auth.success or pong says about the log. */
export const answer = (s: Draft, data: { readonly sequence: number; readonly after?: number; readonly recovered?: boolean; readonly more?: boolean }): void => {
  const { sequence, after, recovered } = data;
  if (after === undefined) {
    if (s.position === undefined) resync(s, 'first', sequence);
  } else if (recovered === false) {
    if (after === s.position) {
      const missed = sequence - after;
      resync(s, missed < 0 || missed > RESTARTED ? 'log-restarted' : 'too-old', sequence);
    }
  } else if (data.more && (s.position as number) < sequence) {
    if (sequence - after > maxReplay(s)) resync(s, 'too-many', sequence);
    else {
      s.more = after;
      s.timers.more = s.t + 5000;
    }
  }
  s.head = Math.max(s.head, sequence);
};

/** Forgets a session: nothing of it may reach, or count for, the next one. */
export const forget = (s: Draft, position?: number): void => {
  s.out = [];
  s.tenant = s.user = s.conn = '';
  s.position = position;
  s.head = s.replayTo = s.hold = s.stuck = 0;
  s.healing = -1;
  s.held = new Map();
  s.queue = [];
  s.more = undefined;
  delete s.timers.hold;
  delete s.timers.heal;
  delete s.timers.more;
  s.fx.push({ do: 'forget' });
};

/** State is loaded, or had its time. */
export const loaded = (s: State): Delivery[] => {
  const { queue } = s;
  s.hold = 0;
  s.queue = [];
  delete s.timers.hold;
  return queue.slice();
};

/** A gap is old enough to be asked about. Says whether to ping. */
export const heal = (s: Draft): boolean => {
  if (!isBehind(s)) return false;
  s.stuck = s.healing === s.position ? s.stuck + 1 : 0;
  s.healing = s.position as number;
  if (s.stuck < 3) return true;
  resync(s, 'unhealed', s.head);
  return false;
};

/** Ends a step: hands on what now follows, and sees to what does not. Says whether to ping at once. */
export const settle = (s: Draft): boolean => {
  const { timers, link } = s;
  if (s.position !== undefined && s.held.size) {
    let at = s.position;
    for (let e; (e = s.held.get(at + 1)); at++) hand(s, e);
    s.position = at;
    s.held = new Map([...s.held].filter(([n]) => n > at));
  }
  flush(s);
  if (s.queue.length > maxReplay(s)) resync(s, 'overflow', s.position as number);

  const live = link?.live;
  const behind = live && isBehind(s);
  let ping = false;
  if (s.more !== undefined && (!behind || (s.position as number) > s.more)) {
    s.more = undefined;
    delete timers.more;
    ping = !!behind;
  }
  if (!behind) {
    delete timers.heal;
    s.stuck = 0;
    s.healing = -1;
  } else if (!link.ping && !ping && s.more === undefined && timers.heal === undefined) timers.heal = s.t + (1000 + 4000 * s.rnd) * 2 ** Math.min(s.stuck, 2);

  if (live && s.since === null && (s.position as number) >= s.replayTo) {
    s.since = s.now;
    if (s.lostAt !== null) s.count.reconnects++;
    s.lostAt = null;
    s.error = undefined;
  }
  return ping;
};
