import { expect, test } from 'vitest';
import { createEventSourceShim } from '../src/index.js';
import { createFakeServer, createTestClient } from '../src/testing/index.js';

test('old names, snake_case, onmessage, lastEventId, close', async () => {
  const server = createFakeServer();
  const errors: string[] = [];
  const client = createTestClient(server, { onError: ({ code }) => errors.push(code) });
  const source = createEventSourceShim(client);
  const heard: unknown[] = [];
  source.onopen = () => heard.push('open');
  source.onerror = () => heard.push('error');
  source.onmessage = (event) => heard.push(['any', event.type, event.lastEventId]);
  source.addEventListener('goal-activity-created', () => {
    throw new Error('a listener');
  });
  source.addEventListener('goal-activity-created', (event) => heard.push([event.type, (JSON.parse(event.data) as { activity_id: string }).activity_id]));
  // As code for the browser's own has it.
  source.addEventListener('action-updated', ({ type, data }: MessageEvent<string>) => heard.push([type, (JSON.parse(data) as { new_status: string }).new_status]));
  source.addEventListener('goal-updated', () => heard.push('goal-updated'));
  expect(source.readyState).toBe(2);
  await client.connect();
  expect(source.readyState).toBe(1);
  server.emit('goal.activity.created', { activityId: 'a1' }, { eventId: 'e1' });
  server.drop();
  expect([source.readyState, source.lastEventId]).toEqual([0, 'e1']);
  server.emit('action.status_changed', { newStatus: 'paused' }, { eventId: 'e2' });
  await server.clock.advance(2000);
  source.close();
  server.emit('goal.paused');
  expect(heard).toEqual(['open', ['goal-activity-created', 'a1'], ['any', 'goal-activity-created', 'e1'], 'error', 'open', ['action-updated', 'paused'], ['any', 'action-status-changed', 'e2']]);
  expect([errors, source.readyState, client.getStatus().state]).toEqual([['HANDLER'], 2, 'connected']);
});

test('listeners as an EventTarget takes them: once, signal, handleEvent, none of them twice', async () => {
  const server = createFakeServer();
  const client = createTestClient(server);
  const source = createEventSourceShim(client);
  await client.connect();
  const heard: string[] = [];
  const abort = new AbortController();
  const object = {
    name: 'object',
    handleEvent({ type }: MessageEvent) {
      heard.push(this.name + ' ' + type);
    },
  };
  const removed = (): number => heard.push('removed');
  const twice = (): number => heard.push('twice');
  source.addEventListener('goal-paused', () => heard.push('once'), { once: true });
  source.addEventListener('goal-paused', () => heard.push('until aborted'), { signal: abort.signal, passive: true });
  source.addEventListener('goal-paused', () => heard.push('never'), { signal: AbortSignal.abort() });
  source.addEventListener('goal-paused', object);
  source.addEventListener('goal-paused', twice);
  source.addEventListener('goal-paused', twice, { once: true });
  source.addEventListener('goal-paused', () => source.removeEventListener('goal-paused', removed), true);
  source.addEventListener('goal-paused', removed);
  server.emit('goal.paused');
  expect(heard.splice(0)).toEqual(['once', 'until aborted', 'object goal-paused', 'twice']);
  abort.abort();
  source.removeEventListener('goal-paused', object);
  server.emit('goal.paused');
  expect(heard).toEqual(['twice']);
});
