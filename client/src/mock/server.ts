/** The mock server: the protocol's server behind real sockets, with events of its own making. */
import { randomInt } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CatalogueType } from '../generated/events.js';
import { samples } from '../generated/samples.js';
import { validateEvent } from '../generated/validate.js';
import { changed } from '../testing/events.js';
import { createProtocolServer } from '../testing/protocol-server.js';
import type { Limits, ProducedEvent } from '../testing/protocol-server.js';
import type { Command } from './commands.js';
import { servePage } from './pages.js';
import { createIssuer } from './tokens.js';
import { acceptSocket } from './websocket.js';
import type { ServerSocket } from './websocket.js';

/** Milliseconds without a message of the client after which API Gateway closes. */
const IDLE = 600_000;
/** Milliseconds after which API Gateway closes every connection. */
const LIFETIME = 7_200_000;
/** Milliseconds between two looks for what is overdue. */
const SWEEP = 1_000;
/** Bytes of an event, as everywhere in the system. */
const MAX_EVENT = 32_768;

/** Options of {@link createMockServer}. */
export interface MockServerOptions {
  /** Events a second, to every tenant; 0 = none. */
  readonly rate: number;
  /** Of which types. */
  readonly types: readonly CatalogueType[];
  /** The same seed gives the same types in the same order. */
  readonly seed: number;
  /** Run once, from when the first client is authenticated. */
  readonly scenario: readonly Command[];
  readonly limits: Partial<Limits>;
  /** Told what happens, a line each. */
  log(line: string): void;
}

/** Made by {@link createMockServer}. */
export interface MockServer {
  /** Begins to listen on 127.0.0.1 and returns the port; 0 takes a free one. Rejects where the port is taken. */
  listen(port: number): Promise<number>;
  /** Does what a command says, and says what it did. What the catalogue refuses is an error, and nothing is sent. */
  run(command: Command): Promise<string>;
}

interface Line {
  readonly socket: ServerSocket;
  readonly since: number;
  heard: number;
}

/** A copy in which every timestamp is `now`. */
const refresh = (value: unknown, now: string): unknown => {
  if (typeof value === 'string') return /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(value) ? now : value;
  if (Array.isArray(value)) return value.map((item) => refresh(item, now));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, refresh(member, now)]));
};

export function createMockServer({ rate, types, seed, scenario, limits, log }: MockServerOptions): MockServer {
  const issuer = createIssuer(Date.now);
  const server = createProtocolServer({ now: Date.now, verify: issuer.verify, limits });
  const lines = new Set<Line>();
  const tenants = new Set<string>();
  let random = seed;

  const publish = (tenantId: string, event: ProducedEvent): void => {
    const { sequence } = server.publish(tenantId, event);
    log(`${event.type}  ${tenantId}  ${sequence}`);
  };
  /** As a domain service puts it: the payload with tenantId, eventId, occurredAt and correlationId, each of which may be absent. */
  const emit = (type: CatalogueType, detail: Readonly<Record<string, unknown>>): number => {
    const { tenantId, eventId, occurredAt, correlationId, ...data } = detail as { [name: string]: unknown };
    const now = new Date().toISOString();
    const payload = changed(type, refresh(samples[type], now) as object, data);
    const event = { type, timestamp: occurredAt === undefined ? now : occurredAt, correlationId } as ProducedEvent;
    const envelope = { ...event, eventId: eventId === undefined ? 'e' : eventId, sequence: 1 };
    const audience = tenantId === undefined ? [...tenants] : [tenantId as string];
    for (const tenant of audience.length ? audience : ['demo']) {
      const whole = { ...envelope, tenantId: tenant, data: { ...payload, tenantId: tenant } };
      const checked = validateEvent(whole);
      if (!checked.ok) throw new Error(`emit ${type}: ${checked.issues.map(({ message }) => message).join('; ')}`);
      if (Buffer.byteLength(JSON.stringify(whole)) > MAX_EVENT) throw new Error(`emit ${type}: the event is over ${MAX_EVENT} bytes`);
    }
    for (const tenant of audience) publish(tenant, { ...event, data: payload, ...(eventId !== undefined && { eventId: eventId as string }) });
    return audience.length;
  };

  const cut = (): number => {
    const { size } = lines;
    for (const { socket } of lines) socket.cut();
    return size;
  };
  const run = async (command: Command): Promise<string> => {
    switch (command.is) {
      case 'emit':
        return emit(command.type, command.detail) ? '' : 'no client has authenticated yet: there is no tenant to send it to';
      case 'drop':
        return `cut ${cut()} connections`;
      case 'gap': {
        const count = cut();
        for (const tenant of tenants) {
          for (let i = command.reason === 'too-many' ? 1001 : 1; i > 0; i--) server.publish(tenant, { type: 'goal.paused', data: refresh(samples['goal.paused'], new Date().toISOString()) as ProducedEvent['data'] });
          if (command.reason === 'too-old') server.truncate(tenant);
        }
        return `cut ${count} connections; what they miss is ${command.reason}`;
      }
      case 'expire': {
        issuer.expire();
        const authenticated = server.connections().filter(({ tenantId }) => tenantId !== undefined);
        for (const connection of authenticated) connection.end({ code: 'UNAUTHORIZED', reason: 'token_expired', error: 'the token has ended' });
        return `every token so far has ended; closed ${authenticated.length} connections`;
      }
      case 'wait':
        await new Promise((resolve) => setTimeout(resolve, command.ms));
        return '';
    }
  };
  const play = async (): Promise<void> => {
    for (const command of scenario) {
      try {
        const said = await run(command);
        if (said) log(said);
      } catch (error) {
        log((error as Error).message);
      }
    }
    if (scenario.length) log('the scenario has ended');
  };

  const web = createServer((request, response) => servePage(issuer, request, response));
  web.on('upgrade', (request, stream, head) => {
    const now = Date.now();
    let user = '';
    const socket = acceptSocket(request, stream, head, {
      message(text) {
        line.heard = Date.now();
        connection.receive(text);
        const { tenantId } = connection;
        if (user || tenantId === undefined) return;
        user = tenantId;
        log(`authenticated  ${tenantId}  ${connection.id}`);
        const first = !tenants.size;
        tenants.add(tenantId);
        if (first) void play();
      },
      closed() {
        lines.delete(line);
        connection.left();
        if (user) log(`gone  ${user}  ${connection.id}`);
      },
    });
    if (!socket) return;
    const line: Line = { socket, since: now, heard: now };
    lines.add(line);
    const connection = server.connect({ post: (message) => socket.send(JSON.stringify(message)), close: (code) => socket.close(code, code === 1000 ? 'Connection Closed Normally' : '') });
  });

  return {
    run,
    listen: (port) =>
      new Promise((resolve, reject) => {
        web.once('error', reject);
        web.listen(port, '127.0.0.1', () => {
          setInterval(() => {
            server.sweep();
            for (const { socket, since, heard } of lines) if (Date.now() - heard >= IDLE || Date.now() - since >= LIFETIME) socket.close(1001, 'Going away');
          }, SWEEP);
          if (rate > 0)
            setInterval(() => {
              // The order begins with the first client, wherever in time that is.
              if (!tenants.size) return;
              random = (random * 16_807) % 2_147_483_647;
              emit(types[random % types.length] as CatalogueType, {});
            }, 1000 / rate);
          resolve((web.address() as AddressInfo).port);
        });
      }),
  };
}

/** A seed for who gives none. */
export const anySeed = (): number => randomInt(1, 2_147_483_647);
