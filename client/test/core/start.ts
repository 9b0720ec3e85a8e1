import type { RealtimeError, RealtimeOptions, Resync, WebSocketLike } from '../../src/index.js';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';

/** `lines`: where the sockets go, for a test that speaks for the server. */
export const start = async (options: Partial<RealtimeOptions> = {}, { tokenLifeMs = 3_600_000, lines = [] as WebSocketLike[] } = {}) => {
  const server = createFakeServer({ userId: 'me', tokenLifeMs });
  const errors: RealtimeError[] = [];
  const resyncs: Resync[] = [];
  const heard: string[] = [];
  const socket = (url: string): WebSocketLike => lines[lines.push(server.ports.socket(url)) - 1] as WebSocketLike;
  const client = createTestClient(server, { onError: (error) => errors.push(error), onResync: (resync) => void resyncs.push(resync), ...options, ports: { socket, ...options.ports } });
  client.subscribe('*', (event) => heard.push(event.eventId));
  client.connect().catch(() => {});
  // The fake answers within the call; what is left are promises.
  await server.clock.advance(0);
  const codes = (): string[] => errors.map(({ code }) => code);
  const state = (): string => {
    const status = client.getStatus();
    return 'reason' in status ? `${status.state} ${status.reason}` : status.state;
  };
  const pings = (): number => server.sent.filter(({ action }) => action === 'ping').length;
  return { server, client, errors, resyncs, heard, codes, state, pings };
};
