// By its path, since the client's tests compile this module without the demo's aliases.
import type { Ports, WebSocketLike } from '../../../src/index.js';

/** The line between this page and its server, which fails as networks do. It is the page's own: the server, whichever it is, knows nothing of it. */
export interface Wire {
  /** Opens sockets that run through the line. */
  through(open: Ports['socket']): Ports['socket'];
  /** Cuts what is open. */
  cut(): void;
  /** What is open stays open, and nothing passes any more. */
  silence(): void;
  /** The next message of the server is lost. */
  loseNext(): void;
  /** Keeps back what the server sends, until it is let go. */
  hold(held: boolean): void;
  /** No network: the browser says so, and nothing opens. */
  offline(off: boolean): void;
  readonly isOffline: boolean;
  /** A message as if the server had sent it. */
  inject(message: object): void;
}

interface Line {
  readonly outer: WebSocketLike;
  readonly inner: WebSocketLike | undefined;
  dead: boolean;
}

/** Makes a line that needs so many milliseconds for each message of the server. */
export function createWire(delayMs = 0): Wire {
  const lines = new Set<Line>();
  let offline = false;
  let losing = false;
  let held: (() => void)[] | undefined;

  const later = (run: () => void): void => void (delayMs ? setTimeout(run, delayMs) : run());
  const end = (line: Line, code: number): void => {
    if (!lines.delete(line)) return;
    line.outer.onclose?.({ code } as never);
  };
  const cut = (): void => {
    for (const line of [...lines]) {
      line.inner?.close();
      end(line, 1006);
    }
  };
  const deliver = (line: Line, event: never): void => {
    const pass = (): void => {
      if (lines.has(line) && !line.dead) line.outer.onmessage?.(event);
    };
    if (losing) losing = false;
    else if (held) held.push(pass);
    else later(pass);
  };

  return {
    cut,
    get isOffline() {
      return offline;
    },
    through: (open) => (url) => {
      const inner = offline ? undefined : open(url);
      let onopen: WebSocketLike['onopen'] = null;
      const outer: WebSocketLike = {
        onmessage: null,
        onclose: null,
        onerror: null,
        get onopen() {
          return onopen;
        },
        set onopen(listener) {
          onopen = listener;
          // The fake server opens as soon as somebody listens.
          if (inner) later(() => (inner.onopen = listener));
        },
        send: (text) => {
          if (inner && !line.dead) inner.send(text);
        },
        close: (code, reason) => {
          lines.delete(line);
          inner?.close(code, reason);
        },
      };
      const line: Line = { outer, inner, dead: false };
      lines.add(line);
      if (inner) {
        inner.onmessage = (event) => deliver(line, event);
        inner.onclose = ({ code }: { readonly code: number }) => later(() => !line.dead && end(line, code));
        inner.onerror = (event) => outer.onerror?.(event);
      } else setTimeout(() => end(line, 1006), 0);
      return outer;
    },
    silence: () => lines.forEach((line) => (line.dead = true)),
    loseNext: () => void (losing = true),
    hold(on) {
      const waiting = held ?? [];
      held = on ? waiting : undefined;
      if (!on) waiting.forEach((pass) => pass());
    },
    offline(off) {
      if (off === offline) return;
      offline = off;
      if (off) cut();
      window.dispatchEvent(new Event(off ? 'offline' : 'online'));
    },
    inject: (message) => lines.forEach((line) => deliver(line, { data: JSON.stringify(message) } as never)),
  };
}
