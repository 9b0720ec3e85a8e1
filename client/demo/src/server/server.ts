import type { CatalogueType, GetToken, Ports } from '@purposepath/realtime';
import type { Command } from '../../domain/commands.js';
import type { Person } from '../../domain/people.js';
import type { Snapshot } from '../../domain/service.js';
import type { DomainEvent } from '../../domain/state.js';
import type { Wire } from './wire.js';

/** Who is signed in. */
export interface Session {
  readonly tenantId: string;
  readonly user: Person;
}

/** Something that goes wrong at the server. */
export interface Fault {
  readonly name: string;
  /** What is to be seen then. */
  readonly hint: string;
  run(connectionId: string): void | Promise<unknown>;
}

/** What is behind the page, for one session: the server of realtime, the domain service, and what can go wrong. The one seam between the fake server and the stack. */
export interface Server {
  readonly url: string;
  readonly getToken: GetToken;
  readonly ports: Partial<Ports>;
  readonly wire: Wire;
  snapshot(): Promise<Snapshot>;
  execute(command: Command, correlationId: string): Promise<DomainEvent>;
  /** The domain service lets somebody do something: this user, or the others. */
  act(type: CatalogueType | undefined, count: number, by: 'me' | 'others'): Promise<number>;
  /** The team is at work from the beginning. */
  readonly isBusy: boolean;
  /** The team is at work; 0 ends it. */
  simulate(everyMs: number): Promise<void>;
  refuseNext(): Promise<void>;
  readonly faults: readonly Fault[];
}

/** A control message, as the server sends it. */
export const control = (type: string, data: object): object => ({ type, timestamp: new Date().toISOString(), data });

/** Signs the same user in elsewhere, in the place of a connection. */
export function takeOver(open: Ports['socket'], url: string, token: string, connectionId: string): void {
  const socket = open(url);
  socket.onmessage = () => socket.close(1000);
  socket.onopen = () => socket.send(JSON.stringify({ action: 'auth', token, replaces: connectionId, protocol: 1 }));
}
