// @vitest-environment jsdom
import { expect, test } from 'vitest';
import { createFakeServer, createTestClient } from '../../src/testing/index.js';
import { createWire } from '../../demo/src/server/wire.js';

/** A client behind a wire, with the titles of the goals it was told of. */
const start = async () => {
  const server = createFakeServer();
  const wire = createWire();
  const client = createTestClient(server, { ports: { ...server.ports, socket: wire.through(server.ports.socket) } });
  const titles: string[] = [];
  client.subscribe('goal.created', ({ data }) => void titles.push(data.title));
  await client.connect();
  const emit = (title: string): void => void server.emit('goal.created', { title });
  const after = (ms: number): Promise<void> => server.clock.advance(ms);
  return { server, wire, client, titles, emit, after };
};

test('carries', async () => {
  const { emit, titles } = await start();
  emit('one');
  expect(titles).toEqual(['one']);
});

test('cut: the client is back, and misses nothing', async () => {
  const { wire, client, emit, titles, after } = await start();
  wire.cut();
  expect(client.getStatus().state).toBe('reconnecting');
  emit('missed');
  await after(2_000);
  expect([client.getStatus().state, titles]).toEqual(['connected', ['missed']]);
});

test('silent: nobody is told, until the client asks', async () => {
  const { wire, client, emit, titles, after } = await start();
  wire.silence();
  emit('missed');
  expect([client.getStatus().state, titles]).toEqual(['connected', []]);
  void client.probe();
  await after(12_000);
  expect([client.getStatus().state, titles]).toEqual(['connected', ['missed']]);
});

test('one message lost: the next one shows it', async () => {
  const { wire, emit, titles, after } = await start();
  wire.loseNext();
  emit('lost');
  emit('next');
  expect(titles).toEqual([]);
  await after(6_000);
  expect(titles).toEqual(['lost', 'next']);
});

test('held: what was kept back comes in its order', async () => {
  const { wire, emit, titles } = await start();
  wire.hold(true);
  emit('one');
  emit('two');
  expect(titles).toEqual([]);
  wire.hold(false);
  emit('three');
  expect(titles).toEqual(['one', 'two', 'three']);
});

test('held, then cut: what was kept back is lost with the connection, and replayed', async () => {
  const { wire, emit, titles, after } = await start();
  wire.hold(true);
  emit('one');
  wire.cut();
  wire.hold(false);
  expect(titles).toEqual([]);
  await after(2_000);
  expect(titles).toEqual(['one']);
});

test('offline: nothing opens until there is a network again', async () => {
  const { wire, client, emit, titles, after } = await start();
  const said: string[] = [];
  for (const type of ['offline', 'online']) window.addEventListener(type, () => said.push(type));
  wire.offline(true);
  emit('missed');
  await after(60_000);
  expect([client.getStatus().state, titles, said]).toEqual(['reconnecting', [], ['offline']]);
  wire.offline(false);
  await after(31_000);
  expect([client.getStatus().state, titles, said]).toEqual(['connected', ['missed'], ['offline', 'online']]);
});

test('a message as if from the server', async () => {
  const { wire, server, client, after } = await start();
  await after(1_000);
  wire.inject({ type: 'rotate', timestamp: new Date(server.clock.now()).toISOString(), data: {} });
  await after(1_000);
  expect([client.getStatus().state, client.getStats().rotations, server.connections]).toEqual(['connected', 1, 1]);
});
