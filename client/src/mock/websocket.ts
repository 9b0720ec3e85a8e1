/**
 * The server's side of a WebSocket (RFC 6455) with API Gateway's limits: text only, frames of at most 32 KB, messages of at most 128 KB.
 *
 * - Whatever a client sends ends in a message, or in a close with the code that says why; it never throws.
 * - After the end of the connection `closed` is called once, and nothing else.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';

/** Bytes of one frame, as API Gateway takes them; a longer one is closed with 1009. */
const MAX_FRAME = 32_768;
/** Bytes of a message of several frames. */
const MAX_MESSAGE = 131_072;
/** Bytes that may wait for a client that does not read, before it is cut off. */
const MAX_UNREAD = 4_194_304;
/** Milliseconds that a client has to answer a close. */
const CLOSE_WITHIN = 2_000;
/** RFC 6455, section 1.3. */
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

const TEXT = 1;
const BINARY = 2;
const CLOSE = 8;
const PING = 9;
const PONG = 10;

/** What happens on a socket. */
export interface SocketListener {
  message(text: string): void;
  closed(): void;
}

/** One open socket. */
export interface ServerSocket {
  send(text: string): void;
  /** Closes with the handshake. */
  close(code: number, reason?: string): void;
  /** Ends it without a word: the client sees 1006. */
  cut(): void;
}

const frame = (opcode: number, payload: Buffer): Buffer => {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = 0x80 | opcode;
  if (length < 126) head[1] = length;
  else if (length < 65_536) {
    head[1] = 126;
    head.writeUInt16BE(length, 2);
  } else {
    head[1] = 127;
    head.writeBigUInt64BE(BigInt(length), 2);
  }
  return Buffer.concat([head, payload]);
};

const refuse = (stream: Duplex, status: string): undefined => {
  stream.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  return undefined;
};

/** Answers an upgrade. What the request may not have is refused with a status, and there is no socket. */
export function acceptSocket(request: IncomingMessage, stream: Duplex, first: Buffer, listener: SocketListener): ServerSocket | undefined {
  stream.on('error', () => stream.destroy());
  const { 'sec-websocket-key': key = '', 'sec-websocket-version': version, upgrade = '' } = request.headers;
  if (request.method !== 'GET' || upgrade.toLowerCase() !== 'websocket' || Buffer.from(key, 'base64').length !== 16) return refuse(stream, '400 Bad Request');
  if (version !== '13') return refuse(stream, '426 Upgrade Required\r\nSec-WebSocket-Version: 13');
  const accept = createHash('sha1').update(key + GUID).digest('base64');
  stream.write(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`);

  let pending: Buffer = Buffer.alloc(0);
  let parts: Buffer[] | undefined;
  let size = 0;
  let closing = false;
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

  const write = (opcode: number, payload: Buffer): void => {
    if (closing || !stream.writable) return;
    stream.write(frame(opcode, payload));
    if (stream.writableLength > MAX_UNREAD) stream.destroy();
  };
  const close = (code: number, reason = ''): void => {
    if (closing) return;
    const payload = Buffer.alloc(2 + Buffer.byteLength(reason));
    payload.writeUInt16BE(code);
    payload.write(reason, 2);
    write(CLOSE, payload);
    closing = true;
    setTimeout(() => stream.destroy(), CLOSE_WITHIN).unref();
  };

  /** Where frames can't be told apart any more, not even the answer to the close can be read. */
  const fail = (code: number): false => {
    close(code);
    stream.end();
    return false;
  };

  const control = (opcode: number, payload: Buffer): void => {
    if (opcode === PING) return write(PONG, payload);
    if (opcode !== CLOSE) return;
    if (!closing) write(CLOSE, payload.subarray(0, 2));
    closing = true;
    stream.end();
  };
  const data = (opcode: number, fin: boolean, payload: Buffer): void => {
    if (opcode === BINARY) return close(1003);
    if ((opcode === TEXT) === (parts !== undefined)) return close(1002);
    size = (parts ? size : 0) + payload.length;
    if (size > MAX_MESSAGE) return close(1009);
    (parts ||= []).push(payload);
    if (!fin) return;
    const message = Buffer.concat(parts);
    parts = undefined;
    let text: string;
    try {
      text = decoder.decode(message);
    } catch {
      return close(1007);
    }
    listener.message(text);
  };

  /** Takes one frame off what is pending; false = there is no whole one. */
  const take = (): boolean => {
    if (pending.length < 2) return false;
    const [head, second] = pending as unknown as [number, number];
    const opcode = head & 15;
    const fin = head >= 0x80;
    let length = second & 127;
    // No extension is agreed, and a client masks.
    if (head & 0x70 || second < 0x80 || ![0, TEXT, BINARY, CLOSE, PING, PONG].includes(opcode) || (opcode >= CLOSE && (!fin || length > 125))) return fail(1002);
    const at = length < 126 ? 2 : length === 126 ? 4 : 10;
    if (pending.length < at) return false;
    if (at === 4) length = pending.readUInt16BE(2);
    if (at === 10) length = Number(pending.readBigUInt64BE(2));
    if (length > MAX_FRAME) return fail(1009);
    if (pending.length < at + 4 + length) return false;
    const payload = Buffer.from(pending.subarray(at + 4, at + 4 + length));
    for (let i = 0; i < length; i++) payload[i] = (payload[i] as number) ^ (pending[at + (i & 3)] as number);
    pending = pending.subarray(at + 4 + length);
    if (opcode >= CLOSE) control(opcode, payload);
    else if (!closing) data(opcode, fin, payload);
    return true;
  };
  const read = (chunk: Buffer): void => {
    if (stream.destroyed || stream.writableEnded) return;
    pending = pending.length ? Buffer.concat([pending, chunk]) : chunk;
    while (!stream.writableEnded && take());
  };
  // Read with the rest, once the caller has its socket.
  if (first.length) stream.unshift(first);
  stream.on('data', read);
  stream.on('end', () => stream.end());
  stream.once('close', () => {
    closing = true;
    listener.closed();
  });

  return { send: (text) => write(TEXT, Buffer.from(text)), close, cut: () => void stream.destroy() };
}
