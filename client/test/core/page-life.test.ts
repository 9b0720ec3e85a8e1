import { describe, expect, test } from 'vitest';
import type { PageEvent, WebSocketLike } from '../../src/index.js';
import { makeEvent } from '../../src/testing/index.js';
import { start } from './start.js';

describe('the page', () => {
  test('into the back-forward cache closes, out of it reconnects at once with what was missed', async () => {
    const { server, state, heard } = await start();
    server.page('hide');
    expect([state(), server.connections]).toEqual(['reconnecting', 0]);
    server.emit('goal.paused', {}, { eventId: 'missed' });
    await server.clock.advance(600_000);
    expect(server.connections).toBe(0);
    server.page('show');
    expect([state(), heard]).toEqual(['connected', ['missed']]);
  });

  test.each<PageEvent>(['visible', 'online', 'resume', 'show'])('%s does not wait for the next attempt', async (event) => {
    const { server, state } = await start();
    server.drop();
    expect(state()).toBe('reconnecting');
    server.page(event);
    expect(state()).toBe('connected');
  });

  test.each<PageEvent>(['visible', 'online', 'offline', 'resume', 'show'])('%s asks an open connection at once; a dead one is given up', async (event) => {
    const { server, client, pings, state } = await start();
    server.page(event);
    expect(pings()).toBe(1);
    server.halfOpen();
    server.page(event);
    await server.clock.advance(9999);
    expect([pings(), state()]).toEqual([3, 'connected']);
    await server.clock.advance(1);
    // A wake does not wait for the next attempt, either.
    expect([state(), client.getStats().attempts]).toEqual(event === 'offline' ? ['reconnecting', 1] : ['connected', 2]);
  });

  test.each<PageEvent>(['visible', 'online', 'resume', 'show'])('a close that the browser reports after %s: back at once, once for each wake', async (event) => {
    const { server, client, state } = await start({ ports: { random: () => 0.9 } });
    const release = server.hold();
    server.page(event);
    server.drop();
    await server.clock.advance(0);
    release();
    expect([state(), client.getStats().attempts]).toEqual(['connected', 2]);
    server.drop();
    await server.clock.advance(0);
    expect(state()).toBe('reconnecting');
  });

  test('what came before a wake does not answer for it, even where a question is out', async () => {
    const lines: WebSocketLike[] = [];
    const { server, client, state } = await start({}, { lines });
    server.hold();
    server.page('resume');
    await server.clock.advance(1000);
    (lines[0]?.onmessage as (event: { data: string }) => void)({ data: JSON.stringify({ ...makeEvent('goal.paused'), sequence: undefined }) });
    await server.clock.advance(1000);
    server.halfOpen();
    server.page('visible');
    await server.clock.advance(10_001);
    expect([state(), client.getStats().attempts]).toEqual(['reconnecting', 2]);
  });

  test('a close after an answered wake waits as any other', async () => {
    const { server, state } = await start();
    server.page('resume');
    server.drop();
    await server.clock.advance(0);
    expect(state()).toBe('reconnecting');
  });

  test('a close is what the machine hears first after sleep: back at once', async () => {
    const { server, client, state } = await start();
    server.clock.sleep(3_600_000);
    server.drop();
    await server.clock.advance(0);
    expect([state(), client.getStats().attempts]).toEqual(['connected', 2]);
  });

  test('the first interaction after a minute of silence asks, at most once a minute', async () => {
    const { server, pings } = await start();
    server.page('interaction');
    await server.clock.advance(61_000);
    server.page('interaction');
    server.page('interaction');
    await server.clock.advance(1000);
    server.page('interaction');
    expect(pings()).toBe(1);
  });

  test('onInteraction: false', async () => {
    const { server, pings } = await start({ ping: { onInteraction: false } });
    await server.clock.advance(61_000);
    server.page('interaction');
    expect(pings()).toBe(0);
  });
});
