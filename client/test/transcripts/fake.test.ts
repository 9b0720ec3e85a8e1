import { describe, test } from 'vitest';
import { createFakeServer } from '../../src/testing/index.js';
import type { RealtimeEventType } from '../../src/generated/events.js';
import { play, transcripts } from './transcript.js';
import type { JsonObject, Line, Subject } from './transcript.js';

/** Seconds of the fake's clock that a step may take. */
const PATIENCE = 600;

const fake = (tenantId: string): Subject => {
  const server = createFakeServer({ tenantId });
  let passed = 0;
  return {
    async open() {
      const socket = server.ports.socket(server.url);
      const line: Line = {
        frames: [],
        send: (text) => socket.send(text),
        close: () => socket.close(1000),
      };
      socket.onmessage = ({ data }: { data: unknown }) => void line.frames.push(JSON.parse(data as string) as JsonObject);
      socket.onclose = ({ code }: { code: number }) => void (line.code = code);
      socket.onopen = () => {};
      return line;
    },
    publish: ({ type, data, eventId, occurredAt, correlationId }) => void server.emit(type as RealtimeEventType, data as object, { eventId, timestamp: occurredAt, correlationId }),
    token: async (tenant, user, life) => [tenant, user, server.clock.now() + life].join(' '),
    async pass() {
      await server.clock.advance(1000);
      return ++passed < PATIENCE;
    },
  };
};

describe('the fake server answers as the transcripts say', () => {
  for (const transcript of transcripts.filter(({ limits }) => !limits)) {
    const { name, about } = transcript;
    test(`${name}: ${about}`, () => play(transcript, 'transcript-' + name, fake('transcript-' + name)));
  }
});
