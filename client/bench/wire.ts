import { createServer, get } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { createRealtimeClient } from '../src/core/client.js';
import { samples } from '../src/generated/samples.js';
import { acceptSocket } from '../src/mock/websocket.js';
import { createProtocolServer } from '../src/testing/protocol-server.js';

export interface Line {
  readonly name: string;
  /** What the server wrote, framing included. */
  readonly bytes: number;
  readonly p50: number;
  readonly p99: number;
  /** Milliseconds, of server and client together. */
  readonly cpu: number;
}

interface Way {
  /** Bytes the server has written so far. */
  written(): number;
  send(n: number): void;
  /** Called when the handler has the event. */
  heard: () => void;
}

/** Events before it is measured. */
const WARM = 3000;

const listen = (server: Server): Promise<number> => new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port)));
const payloads = Object.entries(samples) as [string, Readonly<Record<string, unknown>>][];
const eventOf = (n: number): { type: string; data: Readonly<Record<string, unknown>>; eventId: string } => {
  const [type, data] = payloads[n % payloads.length] as [string, Readonly<Record<string, unknown>>];
  return { type, data, eventId: 'evt-' + String(n).padStart(8, '0') };
};
const protocol = () => createProtocolServer({ now: Date.now, verify: () => ({ tenantId: 'a', userId: 'u', expiresAt: Date.now() + 3_600_000 }) });

/** This package over a WebSocket, with the mock's frames. */
const websocket = async (): Promise<Way> => {
  const server = protocol();
  let stream: Socket | undefined;
  const web = createServer();
  web.on('upgrade', (request, socket, head) => {
    stream = socket as Socket;
    const accepted = acceptSocket(request, socket, head, { message: (text) => connection.receive(text), closed: () => connection.left() });
    const connection = server.connect({ post: (message) => accepted && accepted.send(JSON.stringify(message)), close: (code) => accepted && accepted.close(code) });
  });
  const way: Way = { written: () => stream?.bytesWritten || 0, send: (n) => void server.publish('a', eventOf(n)), heard() {} };
  const client = createRealtimeClient({ url: `ws://127.0.0.1:${await listen(web)}`, getToken: () => 't' });
  client.subscribe('*', () => way.heard());
  await client.connect();
  return way;
};

/** The same envelopes as server-sent events: an id, a name, the JSON text; parsed, and nothing more. */
const sse = async (): Promise<Way> => {
  const server = protocol();
  let stream: Socket | undefined;
  const web = createServer((request, response) => {
    stream = request.socket;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' });
    response.flushHeaders();
    const connection = server.connect({
      post(message) {
        const { type, eventId } = message as { type: string; eventId?: string };
        if (eventId !== undefined) response.write(`id: ${eventId}\nevent: ${type}\ndata: ${JSON.stringify(message)}\n\n`);
      },
      close() {},
    });
    connection.receive(JSON.stringify({ action: 'auth', token: 't' }));
  });
  const way: Way = { written: () => stream?.bytesWritten || 0, send: (n) => void server.publish('a', eventOf(n)), heard() {} };
  const port = await listen(web);
  await new Promise<void>((resolve) =>
    get({ port, host: '127.0.0.1' }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        for (let end; (end = text.indexOf('\n\n')) >= 0; text = text.slice(end + 2)) {
          const data = text.slice(0, end).split('\n').find((line) => line.startsWith('data: '));
          if (data && JSON.parse(data.slice(6))) way.heard();
        }
      });
      resolve();
    }),
  );
  return way;
};

const measure = async (name: string, way: Way, events: number): Promise<Line> => {
  const one = (n: number): Promise<number> => {
    const at = performance.now();
    return new Promise((resolve) => {
      way.heard = () => resolve(performance.now() - at);
      way.send(n);
    });
  };
  // Until the compiler has seen it all.
  for (let n = 0; n < WARM; n++) await one(n);
  const before = way.written();
  const cpu = process.cpuUsage();
  const times: number[] = [];
  for (let n = WARM; n < WARM + events; n++) times.push(await one(n));
  const { user, system } = process.cpuUsage(cpu);
  times.sort((a, b) => a - b);
  return { name, bytes: (way.written() - before) / events, p50: times[Math.floor(events / 2)] as number, p99: times[Math.floor(events * 0.99)] as number, cpu: (user + system) / 1000 / events };
};

export const wire = async (events: number): Promise<readonly Line[]> => [
  await measure('this package, WebSocket', await websocket(), events),
  await measure('server-sent events, node:http and a parser of six lines', await sse(), events),
];
