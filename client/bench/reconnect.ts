import { createRealtimeClient } from '../src/core/client.js';
import type { WebSocketLike } from '../src/core/options.js';
import { createFakeClock } from '../src/testing/clock.js';
import { createProtocolServer } from '../src/testing/protocol-server.js';
import type { ServerConnection } from '../src/testing/protocol-server.js';
import { randomOf } from '../test/model/world.js';

/** Milliseconds until a socket is open, and of a frame's way. */
const HANDSHAKE = 300;
const WAY = 50;

/** Milliseconds from a clean drop until connected again, by virtual clock, sorted: one for each seed. */
export const reconnect = async (seeds: number): Promise<readonly number[]> => {
  const times: number[] = [];
  for (let seed = 1; seed <= seeds; seed++) {
    const clock = createFakeClock(undefined, 8);
    const server = createProtocolServer({ now: clock.now, verify: () => ({ tenantId: 'a', userId: 'u', expiresAt: clock.now() + 3_600_000 }) });
    let drop = (): void => {};
    const socket = (): WebSocketLike => {
      let connection: ServerConnection | undefined;
      const line: WebSocketLike = {
        onopen: null,
        onmessage: null,
        onclose: null,
        onerror: null,
        send: (text) => void clock.setTimeout(() => connection && connection.receive(text), WAY),
        close: () => connection && connection.left(),
      };
      clock.setTimeout(() => {
        connection = server.connect({ post: (message) => void clock.setTimeout(() => line.onmessage && line.onmessage({ data: JSON.stringify(message) } as never), WAY), close() {} });
        if (line.onopen) line.onopen({} as never);
      }, HANDSHAKE);
      drop = () => {
        if (connection) connection.left();
        if (line.onclose) line.onclose({ code: 1006 } as never);
      };
      return line;
    };
    const client = createRealtimeClient({ url: 'ws://bench', getToken: () => 't', ports: { clock, socket, random: randomOf(seed), page: { isVisible: () => true, subscribe: () => () => {} } } });
    void client.connect();
    await clock.advance(60_000);
    const at = clock.monotonic();
    client.onStatus(({ state }) => void (state === 'connected' && times.push(clock.monotonic() - at)));
    drop();
    await clock.advance(60_000);
    client.destroy();
  }
  return times.sort((a, b) => a - b);
};
