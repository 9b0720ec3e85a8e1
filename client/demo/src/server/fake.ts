import { createFakeServer, makeEvent } from '@purposepath/realtime/testing';
import type { FakeServer } from '@purposepath/realtime/testing';
import { tenantOf } from '../../domain/people.js';
import { createService } from '../../domain/service.js';
import type { Service } from '../../domain/service.js';
import type { DomainEvent } from '../../domain/state.js';
import { newId } from '../newId.js';
import { control, takeOver } from './server.js';
import type { Server, Session } from './server.js';
import { createWire } from './wire.js';

/** Milliseconds of a message, and of an answer of the service: a network is never as fast as this page. */
const NETWORK = 40;
const ANSWER = 180;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** The fake server fills up from its samples what is missing; the service leaves out what there is none of. */
const wholeOf = ({ type, data }: DomainEvent): object => ({ ...Object.fromEntries(Object.keys(makeEvent(type).data).map((key) => [key, undefined])), ...data });

const servers = new Map<string, FakeServer>();
const services = new Map<string, Service>();

const serverOf = ({ tenantId, user }: Session): FakeServer => {
  const key = `${tenantId}/${user.id}`;
  const server = servers.get(key) ?? createFakeServer({ tenantId, userId: user.id, clock: 'real' });
  servers.set(key, server);
  return server;
};
const serviceOf = (tenantId: string): Service => {
  let service = services.get(tenantId);
  if (!service) {
    const publish = async (events: readonly DomainEvent[]): Promise<void> => {
      for (const server of servers.values())
        if (server.tenantId === tenantId) for (const { type, eventId, correlationId, timestamp, ...event } of events) server.emit(type, wholeOf({ type, ...event } as DomainEvent), { eventId, correlationId, timestamp });
    };
    services.set(tenantId, (service = createService(tenantId, { publish, now: Date.now, random: Math.random, id: newId })));
  }
  return service;
};

/** Server and domain service in this page, which then needs nothing but itself. */
export function createInPageServer(session: Session): Server {
  const { tenantId, user } = session;
  const wire = createWire(NETWORK);
  const server = serverOf(session);
  const service = serviceOf(tenantId);
  const others = tenantOf(tenantId).people.filter(({ id }) => id !== user.id);
  return {
    url: server.url,
    wire,
    getToken: () => server.token(),
    ports: { clock: server.clock, socket: wire.through(server.ports.socket) },
    snapshot: async () => {
      await pause(ANSWER);
      return service.snapshot();
    },
    execute: async (command, correlationId) => {
      await pause(ANSWER);
      return service.execute(command, user, correlationId);
    },
    act: (type, count, by) => service.act(type, count, by === 'me' ? [user] : others),
    isBusy: true,
    simulate: async (everyMs) => service.simulate(everyMs),
    refuseNext: async () => service.refuseNext(),
    faults: [
      { name: 'Close', hint: 'The server ends the connection; the client is back within a second.', run: () => server.drop(1001) },
      { name: 'End the token', hint: 'The server says that the token has ended, and closes; the client comes back with a new one.', run: () => server.expireToken() },
      { name: 'Refuse', hint: 'The server lets this user in no more: the indicator says what to do.', run: () => (server.reject('FORBIDDEN', { reason: 'upgrade' }), server.drop()) },
      { name: 'Lose the log', hint: 'What was missed is kept no more: the board loads its state again.', run: () => server.gap('too-old') },
      { name: 'Rotate', hint: 'The server asks to move to a new connection: nothing is to be seen.', run: () => wire.inject(control('rotate', {})) },
      { name: 'Replace', hint: 'The same user takes this connection over elsewhere: it stops, until the page is looked at again or somebody retries.', run: (connectionId) => takeOver(server.ports.socket, server.url, server.token(), connectionId) },
      { name: 'Gateway error', hint: 'API Gateway says "Internal server error": counted, never shown.', run: () => server.gatewayError() },
    ],
  };
}
