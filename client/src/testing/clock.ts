import { systemClock } from '../core/clock.js';
import type { Clock } from '../core/options.js';

/** A clock that stands still until it is told to go on. */
export interface FakeClock extends Clock {
  /** Runs what falls due within so many milliseconds, in order, and the promises that follow from it. */
  advance(ms: number): Promise<void>;
  /** So much time passes and nothing runs, as when a laptop sleeps. What fell due runs at the next advance, late. */
  sleep(ms: number): void;
  /** Sets the clock, as a user or NTP does; no time passes. */
  jump(ms: number): void;
  /** Timers that wait. */
  readonly pending: number;
}

interface Timer {
  readonly due: number;
  readonly id: number;
  readonly run: () => void;
}

/** Promise callbacks that follow one timer: enough for a few dozen `await`s in a row. */
const TICKS = 24;

/**
 * Makes a clock that begins at `start`, in milliseconds since 1970.
 *
 * @example
 * ```ts
 * const clock = createFakeClock();
 * clock.setTimeout(() => console.log('a second later'), 1000);
 * await clock.advance(1000);
 * ```
 */
export function createFakeClock(start = Date.UTC(2026, 0, 5, 9), ticks = TICKS): FakeClock {
  let wall = start;
  let mono = 0;
  let ids = 0;
  // A heap by due time, then by order of setting. A cleared timer stays in it until it comes up.
  const heap: Timer[] = [];
  const waiting = new Set<number>();
  const before = (a: Timer, b: Timer): boolean => a.due < b.due || (a.due === b.due && a.id < b.id);
  const push = (timer: Timer): void => {
    let i = heap.push(timer) - 1;
    while (i > 0) {
      const parent = (i - 1) >> 1;
      const above = heap[parent] as Timer;
      if (!before(timer, above)) break;
      heap[i] = above;
      i = parent;
    }
    heap[i] = timer;
  };
  const pop = (): void => {
    const last = heap.pop() as Timer;
    if (!heap.length) return;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && before(heap[child + 1] as Timer, heap[child] as Timer)) child++;
      if (!before(heap[child] as Timer, last)) break;
      heap[i] = heap[child] as Timer;
      i = child;
    }
    heap[i] = last;
  };

  return {
    now: () => wall,
    monotonic: () => mono,
    setTimeout(run, ms) {
      const id = ++ids;
      waiting.add(id);
      push({ due: mono + Math.max(0, ms || 0), id, run });
      return id;
    },
    clearTimeout: (id) => void waiting.delete(id as number),
    async advance(ms) {
      const end = mono + ms;
      for (let tick = 0; tick < ticks; tick++) await null;
      for (let top; (top = heap[0]) && top.due <= end; ) {
        pop();
        if (!waiting.delete(top.id)) continue;
        if (top.due > mono) {
          wall += top.due - mono;
          mono = top.due;
        }
        top.run();
        for (let tick = 0; tick < ticks; tick++) await null;
      }
      wall += end - mono;
      mono = end;
    },
    sleep(ms) {
      wall += ms;
    },
    jump(ms) {
      wall += ms;
    },
    get pending() {
      return waiting.size;
    },
  };
}

/** The platform's clock in the shape of a fake one: it goes on by itself, and `advance` waits. */
export function createRealClock(): FakeClock {
  const waiting = new Set<unknown>();
  let ahead = 0;
  const jump = (ms: number): void => void (ahead += ms);
  return {
    now: () => systemClock.now() + ahead,
    monotonic: systemClock.monotonic,
    setTimeout(run, ms) {
      const id = systemClock.setTimeout(() => {
        waiting.delete(id);
        run();
      }, ms);
      waiting.add(id);
      return id;
    },
    clearTimeout(id) {
      waiting.delete(id);
      systemClock.clearTimeout(id);
    },
    advance: (ms) => new Promise((resolve) => void systemClock.setTimeout(resolve, ms)),
    sleep: jump,
    jump,
    get pending() {
      return waiting.size;
    },
  };
}
