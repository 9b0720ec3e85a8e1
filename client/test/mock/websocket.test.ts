import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { acceptSocket } from '../../src/mock/websocket.js';

/** A server that answers each message with its length and first characters. */
const server = createServer();
const ends: number[] = [];
let port = 0;
beforeAll(async () => {
  server.on('upgrade', (incoming, stream, head) => {
    const socket = acceptSocket(incoming, stream, head, {
      message: (text) => (text === 'cut' ? socket?.cut() : text === 'close' ? socket?.close(1001, 'Going away') : socket?.send(`${text.length} ${text.slice(0, 10)}`)),
      closed: () => ends.push(1),
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => void server.close());

interface Answer {
  readonly opcode: number;
  readonly payload: Buffer;
}
const read = (bytes: Buffer): Answer[] => {
  const answers: Answer[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes[at + 1] === 126 ? bytes.readUInt16BE(at + 2) : (bytes[at + 1] as number);
    const from = at + (bytes[at + 1] === 126 ? 4 : 2);
    answers.push({ opcode: (bytes[at] as number) & 15, payload: bytes.subarray(from, from + length) });
    at = from + length;
  }
  return answers;
};

const HEADERS = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==' };
const open = (headers: Record<string, string> = HEADERS): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const asked = request({ port, host: '127.0.0.1', headers });
    asked.on('upgrade', (answer, socket) => {
      expect(answer.headers['sec-websocket-accept']).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo='); // RFC 6455, section 1.3
      resolve(socket as Socket);
    });
    asked.on('response', ({ statusCode }) => reject(new Error(String(statusCode))));
    asked.on('error', reject);
    asked.end();
  });
/** A client's frame: masked, unless said otherwise. */
const frame = (first: number, payload: Buffer | string, mask = true): Buffer => {
  const data = Buffer.from(payload as string);
  const long = data.length > 125;
  const head = Buffer.from([first, (mask ? 0x80 : 0) | (long ? 126 : data.length), ...(long ? [data.length >> 8, data.length & 255] : [])]);
  if (!mask) return Buffer.concat([head, data]);
  const key = [1, 2, 3, 4];
  return Buffer.concat([head, Buffer.from(key), data.map((byte, i) => byte ^ (key[i & 3] as number))]);
};
/** Sends the bytes and reads until the server has closed. */
const exchange = async (...chunks: Buffer[]): Promise<Answer[]> => {
  const socket = await open();
  const got: Buffer[] = [];
  socket.on('data', (chunk) => got.push(chunk as Buffer));
  socket.on('error', () => {});
  for (const chunk of chunks) socket.write(chunk);
  await new Promise((resolve) => socket.once('close', resolve).once('end', () => socket.end()));
  return read(Buffer.concat(got));
};
const BYE = frame(0x88, Buffer.from([3, 232]));
const closedWith = (answers: readonly Answer[]): number | undefined => answers.find(({ opcode }) => opcode === 8)?.payload.readUInt16BE(0);
const texts = (answers: readonly Answer[]): string[] => answers.filter(({ opcode }) => opcode === 1).map(({ payload }) => payload.toString());

describe('a handshake', () => {
  test.each([
    ['of another version', { ...HEADERS, 'Sec-WebSocket-Version': '8' }, '426'],
    ['without a key', { ...HEADERS, 'Sec-WebSocket-Key': '' }, '400'],
    ['to another protocol', { ...HEADERS, Upgrade: 'h2c' }, '400'],
  ])('%s is refused', async (_name, headers, status) => {
    await expect(open(headers)).rejects.toThrow(status);
  });
});

describe('what a client sends', () => {
  const long = 'é'.repeat(16_384); // 32,768 bytes
  test.each<[string, readonly Buffer[], readonly string[], number]>([
    ['a message', [frame(0x81, 'hello')], ['5 hello'], 1000],
    ['an empty message', [frame(0x81, '')], ['0 '], 1000],
    ['the longest frame', [frame(0x81, long)], ['16384 éééééééééé'], 1000],
    ['fragments, with a ping between them', [frame(0x01, 'he'), frame(0x89, 'p'), frame(0x00, 'l'), frame(0x80, 'lo')], ['5 hello'], 1000],
    ['two messages at once', [Buffer.concat([frame(0x81, 'a'), frame(0x81, 'b')])], ['1 a', '1 b'], 1000],
    ['a byte at a time', [...frame(0x81, 'hello')].map((byte) => Buffer.from([byte])), ['5 hello'], 1000],
    ['a frame over 32 KB', [frame(0x81, long + 'x')], [], 1009],
    ['a length of 8 bytes', [Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])], [], 1009],
    ['a message over 128 KB', [0x01, 0, 0, 0, 0x80].map((first) => frame(first, long)), [], 1009],
    ['a binary frame', [frame(0x82, 'x')], [], 1003],
    ['no UTF-8', [frame(0x81, Buffer.from([0xff, 0xfe]))], [], 1007],
    ['a frame without mask', [frame(0x81, 'x', false)], [], 1002],
    ['a reserved bit', [frame(0xc1, 'x')], [], 1002],
    ['an unknown opcode', [frame(0x83, 'x')], [], 1002],
    ['a continuation of nothing', [frame(0x80, 'x')], [], 1002],
    ['a new message within one', [frame(0x01, 'x'), frame(0x81, 'y')], [], 1002],
    ['a ping in fragments', [frame(0x09, 'x')], [], 1002],
    ['a ping of 126 bytes', [frame(0x89, 'x'.repeat(126))], [], 1002],
    ['nothing after what was refused', [frame(0x82, 'x'), frame(0x81, 'late')], [], 1003],
  ])('%s', async (_name, chunks, messages, code) => {
    const answers = await exchange(...chunks, BYE);
    expect(texts(answers)).toEqual(messages);
    expect(closedWith(answers)).toBe(code);
  });

  test('a ping is answered with its payload', async () => {
    expect((await exchange(frame(0x89, 'are you there'), BYE)).find(({ opcode }) => opcode === 10)?.payload.toString()).toBe('are you there');
  });
  test('a close without code is answered without one', async () => {
    expect((await exchange(frame(0x88, ''))).map(({ opcode, payload }) => [opcode, payload.length])).toEqual([[8, 0]]);
  });
  test('the server closes with code and reason, or without a word', async () => {
    const [close] = await exchange(frame(0x81, 'close'), BYE);
    expect([close?.opcode, close?.payload.readUInt16BE(0), close?.payload.subarray(2).toString()]).toEqual([8, 1001, 'Going away']);
    expect(await exchange(frame(0x81, 'cut'))).toEqual([]);
  });

  test('any bytes at all leave the server well', async () => {
    let random = 7;
    const next = (below: number): number => (random = (random * 16_807) % 2_147_483_647) % below;
    for (let run = 0; run < 300; run++) {
      const bytes = Buffer.from(Array.from({ length: 1 + next(200) }, () => next(256)));
      // Half of them begin as a frame does, so that they get further.
      if (run % 2) bytes[0] = [0x81, 0x01, 0x80, 0x89][next(4)] as number;
      const before = ends.length;
      const socket = await open();
      socket.on('error', () => {});
      socket.resume();
      const gone = new Promise((resolve) => socket.once('close', resolve));
      socket.write(bytes);
      socket.end();
      await gone;
      while (ends.length === before) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(texts(await exchange(frame(0x81, 'still here'), BYE))).toEqual(['10 still here']);
  });
});
