/**
 * The leader as the server of the other tabs: what comes on its sockets goes to all, and each of their questions is answered.
 *
 * - An event frame is passed on as it came; each tab has a position of its own, orders, and drops what it has.
 * - What a tab has missed is asked of the server, once for all tabs at the same position.
 * - No token travels between tabs.
 */
import type { Clock, WebSocketLike } from '../options.js';
import type { Room, Said } from './room.js';

interface Data {
  readonly sequence?: number;
  readonly recovered?: boolean;
  readonly ref?: string;
  readonly code?: string;
  readonly events?: readonly { readonly sequence?: number }[];
}
interface Frame {
  readonly type?: string;
  readonly timestamp?: string;
  readonly sequence?: number;
  readonly data?: Data;
}
interface Question {
  readonly ref: string;
  at: number;
  /** Who has asked, and with which auth or ping. */
  readonly askers: Map<string, { readonly to: string; readonly ref: string; readonly auth: boolean }>;
}

/** A socket, and what happens to it from outside. */
export interface Line {
  readonly socket: WebSocketLike;
  hear(message: Said): void;
  /** Closes it as the server would. */
  end(): void;
}

/** Milliseconds after which a tab's question goes to the server again. */
const AGAIN = 4000;

export class Relay {
  private readonly room: Room;
  private readonly clock: Clock;
  private live: WebSocketLike | undefined;
  private identity: object = {};
  private head = 0;
  /** The server's clock, as of its latest answer, less the monotonic one. */
  private serverClock = 0;
  /** The server's latest word about the user. */
  private verdict: string | undefined;
  private refs = 0;
  private readonly questions = new Map<string, Question>();

  constructor(room: Room, clock: Clock) {
    this.room = room;
    this.clock = clock;
  }

  get up(): boolean {
    return !!this.live;
  }

  /** The client has stopped for what the server said about the user: so do all. Of the connection alone, such as one that was handed over, nobody else needs to know. */
  stop(): void {
    if (this.verdict !== undefined) this.post(this.verdict);
  }

  /** A real socket, listened to. */
  tap(socket: WebSocketLike, closed: (line: Line) => void): Line {
    let told: WebSocketLike['onclose'] = null;
    const gone = (): void => {
      closed(line);
      if (this.live !== socket) return;
      this.live = undefined;
      this.questions.clear();
      this.room.post({ say: 'down', from: this.room.id });
    };
    const heard = (text: string): void => {
      try {
        this.inspect(socket, text, JSON.parse(text) as Frame);
      } catch {
        // No message of the protocol, which is for the machine to say.
      }
    };
    const line: Line = {
      socket: {
        set onopen(listener: WebSocketLike['onopen']) {
          socket.onopen = listener;
        },
        set onmessage(listener: WebSocketLike['onmessage']) {
          socket.onmessage =
            listener &&
            ((event: { data: string }) => {
              heard(event.data);
              listener(event as never);
            });
        },
        set onclose(listener: WebSocketLike['onclose']) {
          told = listener;
          socket.onclose =
            listener &&
            ((event: never) => {
              gone();
              listener(event);
            });
        },
        set onerror(listener: WebSocketLike['onerror']) {
          socket.onerror = listener;
        },
        send: (text) => socket.send(text),
        close(code) {
          gone();
          socket.close(code);
        },
      },
      hear() {},
      end() {
        const tell = told;
        socket.onopen = socket.onmessage = socket.onclose = null;
        gone();
        socket.close(1000);
        if (tell) tell({ code: 1006 } as never);
      },
    };
    return line;
  }

  /** What a tab says to the server. */
  take({ from, text }: { readonly from: string; readonly text: string }): void {
    const { live, room, head } = this;
    if (!live) return room.post({ say: 'down', from: room.id });
    const { action, ref, lastSequence } = JSON.parse(text) as { action: string; ref: string; lastSequence?: number };
    const auth = action === 'auth';
    if (auth && lastSequence === undefined) return this.welcome(from, ref, { sequence: head });
    if (auth && lastSequence === head) return this.welcome(from, ref, { sequence: head, after: head, recovered: true });
    const key = String(lastSequence);
    let question = this.questions.get(key);
    if (!question) this.questions.set(key, (question = { ref: 't' + ++this.refs, at: -Infinity, askers: new Map() }));
    question.askers.set(from + ref, { to: from, ref, auth });
    const now = this.clock.monotonic();
    if (now - question.at < AGAIN) return;
    question.at = now;
    live.send(JSON.stringify({ action: 'ping', ref: question.ref, lastSequence }));
  }

  private post(text: string): void {
    this.room.post({ say: 'tell', from: this.room.id, text });
  }

  private tell(to: string, type: string, data: object): void {
    const timestamp = new Date(this.clock.monotonic() + this.serverClock).toISOString();
    this.room.post({ say: 'tell', from: this.room.id, to, text: JSON.stringify({ type, timestamp, data }) });
  }

  private welcome(to: string, ref: string, answer: object): void {
    this.tell(to, 'auth.success', { ...this.identity, ...answer, ref });
  }

  private inspect(socket: WebSocketLike, text: string, { type, timestamp, sequence, data = {} }: Frame): void {
    const { room } = this;
    const all = (): void => this.post(text);
    const raise = (n: number | undefined): void => {
      if (n !== undefined && n > this.head) this.head = n;
    };
    if (type === undefined || type === 'rotate' || type === 'auth.error') return;
    if (type === 'batch') {
      all();
      (data.events || []).forEach((event) => raise(event.sequence));
    } else if (type === 'connection_error') {
      if (data.ref !== undefined) this.answer(type, data);
      else if (data.code === 'FORBIDDEN') this.verdict = text;
    } else if (type === 'pong' || type === 'auth.success') {
      this.serverClock = Date.parse(timestamp as string) - this.clock.monotonic();
      raise(data.sequence);
      if (type === 'pong') return this.answer(type, data);
      const { tenantId, userId, connectionId } = data as { tenantId?: string; userId?: string; connectionId?: string };
      // Without the token's end: renewing it is the leader's business.
      this.identity = { tenantId, userId, connectionId };
      const { live } = this;
      this.live = socket;
      this.verdict = undefined;
      if (!live) room.post({ say: 'here', from: room.id, up: true });
    } else {
      all();
      raise(sequence);
    }
  }

  /** Passes the server's answer on to all who have asked the same. */
  private answer(type: string, data: Data): void {
    this.questions.forEach((question, key) => {
      if (question.ref !== data.ref) return;
      this.questions.delete(key);
      question.askers.forEach(({ to, ref, auth }) => {
        if (!auth) this.tell(to, type, { ...data, ref });
        else if (type === 'pong') this.welcome(to, ref, data);
        else this.tell(to, 'auth.error', { ...data, ref });
      });
    });
  }
}

/** A follower's way to the server, through the leader of the moment. */
export const channelLine = (room: Room, id: string, closed: (line: Line) => void): Line => {
  let open = true;
  const socket: WebSocketLike = {
    onopen: null,
    onmessage: null,
    onclose: null,
    onerror: null,
    send: (text) => room.post({ say: 'ask', from: id, to: room.leader as string, text }),
    close() {
      open = false;
      closed(line);
    },
  };
  const line: Line = {
    socket,
    end() {
      const { onclose } = socket;
      socket.close();
      if (onclose) onclose({ code: 1006 } as never);
    },
    hear(message) {
      if (message.from !== room.leader) return;
      if (message.say === 'down') line.end();
      else if (message.say === 'tell' && (message.to === undefined || message.to === id) && socket.onmessage) socket.onmessage({ data: message.text } as never);
    },
  };
  void Promise.resolve().then(() => open && socket.onopen && socket.onopen({} as never));
  return line;
};
