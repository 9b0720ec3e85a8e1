import type { RealtimeClient } from './core/options.js';

/** What a listener of {@link EventSourceShim} gets: a MessageEvent where the platform has one. */
export interface ShimMessage {
  readonly type: string;
  /** JSON text of the payload, with snake_case keys. */
  readonly data: string;
  /** The event's id. */
  readonly lastEventId: string;
}

/** As a method, so that a function which was written for a MessageEvent will do. */
type Handler<E> = { of(event: E): void }['of'];

/** Takes a message, or an event without one: a function, or an object with `handleEvent`. */
export type ShimListener = Handler<ShimMessage> | { handleEvent: Handler<ShimMessage> };

/**
 * EventSource as far as applications use it. Made by {@link createEventSourceShim}.
 *
 * Both fit `Omit<EventSourceShim, 'lastEventId'>`, which an EventSource lacks: the type of a variable that holds either.
 */
export interface EventSourceShim {
  /** 0 connecting, 1 open, 2 closed. */
  readonly readyState: number;
  /** Of the last event that was delivered; empty before the first. */
  readonly lastEventId: string;
  onopen: Handler<{ readonly type: string }> | null;
  /** Called for every event, after the listeners of its name; `type` is that name. */
  onmessage: Handler<ShimMessage> | null;
  /** Called each time the connection is lost, or has stopped. */
  onerror: Handler<{ readonly type: string }> | null;
  /**
   * `open`, `error`, `message` for every event, or an old name such as `goal-activity-created`; `goal-updated`, `action-updated` and `issue-updated` for whatever changed one that was there.
   *
   * A listener that is there already is not added again. `once` and `signal` take it away as everywhere; whether it captures makes no difference.
   */
  addEventListener(
    type: string,
    listener: ShimListener,
    options?: boolean | { readonly capture?: boolean | undefined; readonly passive?: boolean | undefined; readonly once?: boolean | undefined; readonly signal?: AbortSignal | undefined },
  ): void;
  removeEventListener(type: string, listener: ShimListener, options?: boolean | { readonly capture?: boolean | undefined }): void;
  /** Delivers nothing more. The client goes on. */
  close(): void;
}

const snake = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(snake)
    : typeof value === 'object' && value !== null
      ? Object.fromEntries(Object.entries(value).map(([key, v]) => [key.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase()), snake(v)]))
      : value;

/**
 * An object in the shape of EventSource on a client, so that code written for the earlier server-sent events moves file by file: old names (`goal-created`), payloads as JSON text with snake_case keys.
 *
 * It neither connects nor disconnects the client. `kpi` names are not brought back: measures keep theirs.
 *
 * @example
 * ```ts
 * const source = createEventSourceShim(client);
 * source.addEventListener('goal-created', (event) => add(JSON.parse(event.data).goal_id));
 * ```
 */
export function createEventSourceShim(client: RealtimeClient): EventSourceShim {
  /** Whether each is for once. */
  const listeners = new Map<string, Map<ShimListener, boolean | undefined>>();
  let closed = false;
  let lastEventId = '';
  /** One event by each of its names. One listener's error stops no other; the client reports it. */
  const send = (names: readonly string[], data: string): void => {
    const errors: unknown[] = [];
    for (const type of names) {
      if (closed) break;
      // Whoever takes every event asks by what name it came.
      const name = type === 'message' ? (names[0] as string) : type;
      const event: ShimMessage = typeof MessageEvent === 'function' ? new MessageEvent(name, { data, lastEventId }) : { type: name, data, lastEventId };
      const handler = { message: shim.onmessage, open: shim.onopen, error: shim.onerror }[type];
      const call = (listener: ShimListener): void => {
        try {
          if (typeof listener === 'function') listener.call(shim, event);
          else listener.handleEvent(event);
        } catch (error) {
          errors.push(error);
        }
      };
      if (handler) call(handler);
      const all = listeners.get(type) || new Map<ShimListener, boolean>();
      for (const [listener, once] of Array.from(all)) {
        if (!all.has(listener)) continue; // taken away by one before it
        if (once) all.delete(listener);
        call(listener);
      }
    }
    if (errors.length) throw errors[0];
  };
  const shim: EventSourceShim = {
    get readyState() {
      const { state } = client.getStatus();
      return closed || state === 'error' || state === 'disconnected' ? 2 : state === 'connected' ? 1 : 0;
    },
    get lastEventId() {
      return lastEventId;
    },
    onopen: null,
    onmessage: null,
    onerror: null,
    addEventListener(type, listener, options) {
      const { once, signal } = typeof options === 'object' ? options : {};
      const all = listeners.get(type) || new Map<ShimListener, boolean | undefined>();
      if (all.has(listener) || (signal && signal.aborted)) return;
      listeners.set(type, all.set(listener, once));
      if (signal) signal.addEventListener('abort', () => all.delete(listener));
    },
    removeEventListener: (type, listener) => void listeners.get(type)?.delete(listener),
    close() {
      closed = true;
      stops.forEach((stop) => stop());
    },
  };
  let last = client.getStatus().state;
  const stops = [
    client.subscribe('*', ({ type, eventId, data }) => {
      lastEventId = eventId;
      // What changed an entity that was there had a second name.
      const names = [type.replace(/[._]/g, '-')].concat(/created$/.test(type) ? [] : type.split('.')[0] + '-updated', 'message');
      send(names, JSON.stringify(snake(data)));
    }),
    client.onStatus(({ state }) => {
      if (state === 'connected' && last !== 'connected') send(['open'], '');
      if (state === 'error' || (state !== 'connected' && last === 'connected')) send(['error'], '');
      last = state;
    }),
  ];
  return shim;
}
