/** What a client has done since somebody looks: its frames, and what is worth a line of a log. */
import type { RealtimeClient } from '../core/options.js';
import type { Effect, Input, Inspectable, State } from '../core/state.js';
import { frameOf } from './frames.js';
import type { Frame } from './frames.js';

/** One line of the log. */
export interface Line {
  readonly n: number;
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly what: 'connection' | 'gap' | 'recovery' | 'resync' | 'error';
  readonly text: string;
}

/** What is known now. The same object until something is added. */
export interface Recording {
  /** undefined for a client that can't be looked into. */
  readonly state: State | undefined;
  /** Oldest first. */
  readonly frames: readonly Frame[];
  readonly log: readonly Line[];
}

export interface Recorder {
  subscribe(listener: () => void): () => void;
  get(): Recording;
  /** As if the line had broken; nothing where there is no connection. */
  drop(): void;
}

const KEPT = 100;
/** Milliseconds in which changes are gathered: a storm of events must not become one of renders. */
const PACE = 100;

interface Answer {
  readonly type?: string;
  readonly data?: { readonly after?: number; readonly recovered?: boolean; readonly more?: boolean; readonly sequence?: number };
}

/** What a step says, in words. */
const linesOf = (before: State | undefined, state: State, input: Input, effects: readonly Effect[]): Omit<Line, 'n' | 'at'>[] => {
  const lines: Omit<Line, 'n' | 'at'>[] = [];
  const add = (what: Line['what'], text: string): void => void lines.push({ what, text });
  if (input.is === 'close') add('connection', `Connection ${input.id} has ended${input.code ? `, code ${input.code}` : ''}`);
  if (input.is === 'page') add('connection', `The page: ${input.event}`);
  if (input.is === 'message') {
    const { type, data } = (input.message ?? {}) as Answer;
    const { after, recovered, more, sequence = 0 } = data ?? {};
    if ((type === 'auth.success' || type === 'pong') && recovered && after !== undefined && sequence > after) add('recovery', `Sent again: ${after + 1} to ${sequence}${more ? ', in parts' : ''}`);
  }
  if (before) {
    if (state.count.gaps > before.count.gaps) add('gap', `${Math.min(...state.held.keys())} came before ${(state.position ?? 0) + 1}`);
    if (before.held.size && !state.held.size) add('recovery', `The gap is closed at ${state.position ?? 0}`);
    if (state.count.rotations > before.count.rotations) add('connection', 'Handed over to a new connection');
    else if (state.since !== null && before.since === null) add('connection', `Connected as ${state.conn}`);
    if (state.since === null && before.since !== null) add('connection', 'Not connected any more');
    if (state.session !== before.session) add('connection', 'Another session');
  }
  for (const effect of effects) {
    if (effect.do === 'open') add('connection', `Connection ${effect.id} is being opened`);
    if (effect.do === 'token') add('connection', `A token is asked for: ${effect.reason}`);
    if (effect.do === 'error') add('error', `${effect.error.code}: ${effect.error.message}${effect.error.reason ? ` (${effect.error.reason})` : ''}`);
    if (effect.do === 'resync') {
      const { reason, sequence, missedFrom } = effect.resync;
      add('resync', `${reason}: state is as of ${sequence}${missedFrom === undefined ? '' : `, missed from ${missedFrom}`}`);
    }
  }
  return lines;
};

const recorders = new WeakMap<RealtimeClient, Recorder>();

/** The client's recorder. It records while somebody listens, and keeps what it has. */
export const recorderOf = (client: RealtimeClient): Recorder => {
  const known = recorders.get(client);
  if (known) return known;
  const { inspect } = client as Partial<Inspectable>;
  const listeners = new Set<() => void>();
  let record: Recording = { state: undefined, frames: [], log: [] };
  let published = record;
  let count = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let stop = (): void => {};
  let send = (_: Input): void => {};

  const take = (state: State, input: Input, effects: readonly Effect[]): void => {
    const at = state.now;
    const frames: Frame[] = [];
    if (input.is === 'message') frames.push(frameOf(++count, at, 'in', input.message));
    for (const effect of effects) if (effect.do === 'send') frames.push(frameOf(++count, at, 'out', effect.message));
    const lines = linesOf(record.state, state, input, effects).map((line) => ({ ...line, n: ++count, at }));
    record = { state, frames: [...record.frames, ...frames].slice(-KEPT), log: [...record.log, ...lines].slice(-KEPT) };
    timer ??= setTimeout(() => {
      timer = undefined;
      published = record;
      listeners.forEach((listener) => listener());
    }, PACE);
  };
  const recorder: Recorder = {
    subscribe(listener) {
      if (!listeners.size && inspect) {
        [stop, send] = inspect(take);
        // A step in which nothing happens, for the state as it is.
        send({ is: 'timer' });
        published = record;
      }
      listeners.add(listener);
      return () => {
        listeners.delete(listener);
        if (!listeners.size) stop();
      };
    },
    get: () => published,
    drop() {
      const { link } = record.state ?? {};
      if (link) send({ is: 'close', id: link.id, code: 1006 });
    },
  };
  recorders.set(client, recorder);
  return recorder;
};
