import { createEventSourceShim, EventTypes } from '@purposepath/realtime';
import { createFakeServer, createTestClient } from '@purposepath/realtime/testing';
import { compare } from '../out/migrating-from-sse/src/services/compare';

/** An EventSource that the test speaks for. */
function oldSource() {
  const listeners = new Map<string, () => void>();
  const source = { addEventListener: (name: string, listener: () => void) => void listeners.set(name, listener) } as unknown as EventSource;
  return { source, send: (name: string) => listeners.get(name)?.() };
}

test('compare counts what either way brings', async () => {
  const server = createFakeServer();
  const client = createTestClient(server);
  const { source, send } = oldSource();
  const counts = compare(source, client, ['goal-created', 'action-status-changed']);
  await client.connect();
  send('goal-created');
  server.emit('goal.created');
  server.drop(); // which the old connection would not have survived
  server.emit('action.status_changed');
  await server.clock.advance(1000);
  expect(counts).toEqual({ 'goal-created': [1, 1], 'action-status-changed': [0, 1] });
});

test('every event has the old name and the old fields', async () => {
  const server = createFakeServer();
  const client = createTestClient(server);
  const shim = createEventSourceShim(client);
  await client.connect();
  const fields: Record<string, string[]> = {};
  for (const type of Object.values(EventTypes)) {
    const name = type.replace(/[._]/g, '-');
    shim.addEventListener(name, ({ data }) => void (fields[name] = Object.keys(JSON.parse(data) as object)));
    server.emit(type);
  }
  expect(Object.keys(fields)).toHaveLength(Object.keys(EventTypes).length);
  expect(Object.values(fields).flat().filter((field) => /[A-Z]/.test(field))).toEqual([]);
  expect(fields['action-status-changed']).toEqual(expect.arrayContaining(['action_id', 'previous_status', 'new_status', 'changed_at', 'tenant_id']));
});
