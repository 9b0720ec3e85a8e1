import { createRealtimeClient } from '../src/core/client.js';
import type { WebSocketLike } from '../src/core/options.js';
import { samples } from '../src/generated/samples.js';

const EVENTS = 60_000;
const SUBSCRIBERS = 100;

/** Microseconds of CPU for one event, from the frame's text to the last of the handlers; so many events a frame. */
export const dispatch = (size: number): number => {
  let heard = 0;
  const socket: WebSocketLike = { onopen: null, onmessage: null, onclose: null, onerror: null, send() {}, close() {} };
  const client = createRealtimeClient({ url: 'ws://bench', getToken: () => 't', ports: { socket: () => socket } });
  for (let i = 0; i < SUBSCRIBERS; i++) client.subscribe('*', () => void heard++);
  client.connect().catch(() => {});
  const frame = (text: string): void => {
    if (socket.onmessage) socket.onmessage({ data: text } as never);
  };
  (socket.onopen as (event: object) => void)({});
  frame(JSON.stringify({ type: 'auth.success', timestamp: new Date().toISOString(), data: { tenantId: 't', userId: 'u', connectionId: 'c', expiresAt: new Date(Date.now() + 3_600_000).toISOString(), sequence: 0 } }));
  const frames: string[] = [];
  const payloads = Object.entries(samples);
  for (let n = 0; n < EVENTS; ) {
    const events = Array.from({ length: size }, () => {
      const [type, data] = payloads[n % payloads.length] as [string, object];
      return { type, timestamp: '2026-03-02T08:15:00.000Z', eventId: 'evt-' + n, tenantId: 't', sequence: ++n, data };
    });
    frames.push(JSON.stringify(size === 1 ? events[0] : { type: 'batch', timestamp: '2026-03-02T08:15:00.000Z', data: { events } }));
  }
  const warm = Math.floor(frames.length / 6);
  frames.slice(0, warm).forEach(frame);
  const before = process.cpuUsage();
  frames.slice(warm).forEach(frame);
  const { user, system } = process.cpuUsage(before);
  if (heard !== EVENTS * SUBSCRIBERS) throw new Error(`${heard} calls`);
  client.destroy();
  return (user + system) / ((frames.length - warm) * size);
};
