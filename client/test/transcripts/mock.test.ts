// @ts-expect-error it has no types
import { JSDOM } from 'jsdom';
import { afterAll, beforeAll, describe, test } from 'vitest';
import { buildMock, startMock } from '../mock/process.js';
import type { MockProcess } from '../mock/process.js';
import { play, transcripts } from './transcript.js';
import type { JsonObject, Line, Subject } from './transcript.js';

/** A browser's, not the mock's own other half. */
const { WebSocket: BrowserSocket } = new (JSDOM as new (html: string, options: object) => { readonly window: { readonly WebSocket: typeof WebSocket } })('', { url: 'http://localhost/' }).window;
/** Milliseconds that a step may take on a busy machine. */
const PATIENCE = 60_000;

const subjectOf = (mock: MockProcess): Subject => {
  const deadline = Date.now() + PATIENCE;
  return {
    async open() {
      const socket = new BrowserSocket(mock.url);
      const line: Line = { frames: [], send: (text) => socket.send(text), close: () => socket.close() };
      socket.onmessage = ({ data }) => void line.frames.push(JSON.parse(data as string) as JsonObject);
      socket.onclose = ({ code }) => void (line.code = code);
      await new Promise((resolve, reject) => {
        socket.onopen = resolve;
        socket.onerror = reject;
      });
      return line;
    },
    publish: ({ type, data, ...envelope }) => mock.tell(`emit ${type} ${JSON.stringify({ ...(data as object), ...envelope })}`),
    token: async (tenant, user, life) => {
      if (life > 0) return mock.token(tenant, user, life + 'ms');
      // Like the local stack's, the token page gives none that has ended: wait for the end of a short one.
      const token = await mock.token(tenant, user, '1ms');
      const { exp } = JSON.parse(Buffer.from(token.split('.')[1] as string, 'base64url').toString()) as { exp: number };
      while (Date.now() <= exp * 1000) await new Promise(setImmediate);
      return token;
    },
    async pass() {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return Date.now() < deadline;
    },
  };
};

describe('the mock server answers as the transcripts say', { timeout: 2 * PATIENCE }, () => {
  let built: Awaited<ReturnType<typeof buildMock>>;
  const running = new Map<string, Promise<MockProcess>>();
  /** One process for each set of limits. */
  const mockOf = (limits: { readonly [name: string]: number } = {}): Promise<MockProcess> => {
    const flags = Object.entries(limits).map(([name, value]) => `--limit=${name}=${value}`);
    const key = flags.join(' ');
    const known = running.get(key) || startMock(built.program, '--rate=0', ...flags);
    running.set(key, known);
    return known;
  };
  beforeAll(async () => {
    built = await buildMock();
  });
  afterAll(async () => {
    for (const mock of running.values()) await (await mock).end();
    built.remove();
  });

  for (const transcript of transcripts) {
    const { name, about, limits } = transcript;
    test.concurrent(`${name}: ${about}`, async () => play(transcript, 'transcript-' + name, subjectOf(await mockOf(limits))));
  }
});
