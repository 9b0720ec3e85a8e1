import type { CatalogueType } from '../../src/index.js';
import { apply } from './apply.js';
import { eventOf, Refused } from './commands.js';
import type { Command } from './commands.js';
import { tenantOf } from './people.js';
import type { Person } from './people.js';
import { seedOf } from './seed.js';
import { habit, suggest } from './suggest.js';
import type { Random } from './suggest.js';
import type { DomainEvent, State } from './state.js';

/** What a client loads. */
export interface Snapshot {
  readonly state: State;
  /** The latest events, oldest first: what a feed shows before anything new comes. */
  readonly history: readonly DomainEvent[];
}

/** The domain service of one tenant: it decides, remembers, and tells everybody through events. */
export interface Service {
  snapshot(): Snapshot;
  /** Does what a user asks for, and publishes it. Rejects, and nothing has changed, where that can't be. */
  execute(command: Command, user: Person, correlationId?: string): Promise<DomainEvent>;
  /** Lets somebody do something of a type, or of whatever a team does, so many times. Returns how many found something to do. */
  act(type: CatalogueType | undefined, count: number, by: readonly Person[]): Promise<number>;
  /** Somebody of the team does something every so many milliseconds; 0 ends it. */
  simulate(everyMs: number): void;
  /** The next command is refused. */
  refuseNext(): void;
}

/** The service's surroundings. */
export interface ServicePorts {
  /** Hands events to the bus, in this order. */
  publish(events: readonly DomainEvent[]): Promise<void>;
  now(): number;
  readonly random: Random;
  id(): string;
}

/** Events kept for feeds. */
const HISTORY = 300;
/** Events of one call of the bus. */
const BATCH = 10;
/** Habits tried until one finds something to do. */
const TRIES = 5;
/** What can be done when nothing else can. */
const ALWAYS: readonly CatalogueType[] = ['goal.activity.created', 'goal.created'];
/** Milliseconds until others may change what was created. */
const SETTLED = 3_000;

/** Makes the service of a tenant, with its goals as of now. */
export function createService(tenantId: string, { publish, now, random, id }: ServicePorts): Service {
  const { people } = tenantOf(tenantId);
  let { state, history }: Snapshot = seedOf(tenantId, now());
  let last = now();
  let refusing = false;
  let simulation: ReturnType<typeof setInterval> | undefined;

  /** No two events have the same time, so that the later one always wins. */
  const stamp = (): string => new Date((last = Math.max(now(), last + 1))).toISOString();
  const prepare = (from: State, command: Command, user: Person, correlationId?: string): DomainEvent => eventOf(from, command, { tenantId, user, at: stamp(), eventId: id(), correlationId });
  const commit = (event: DomainEvent): void => {
    state = apply(state, event);
    history = [...history, event].slice(-HISTORY);
  };

  const service: Service = {
    snapshot: () => ({ state, history }),
    async execute(command, user, correlationId) {
      if (refusing) {
        refusing = false;
        throw new Refused('The service could not save this change.');
      }
      const event = prepare(state, command, user, correlationId);
      await publish([event]);
      commit(event);
      return event;
    },
    async act(type, count, by) {
      let done = 0;
      while (done < count) {
        const settled = new Date(now() - SETTLED).toISOString();
        const batch: DomainEvent[] = [];
        // Each builds on the one before; none counts until all are published.
        let next = state;
        while (batch.length < Math.min(BATCH, count - done)) {
          const user = by[Math.floor(random() * by.length)];
          const command = (type ? [type] : [...Array.from({ length: TRIES }, () => habit(random)), ...ALWAYS]).map((one) => suggest(one, next, people, random, id, settled)).find((one) => one);
          if (!user || !command) break;
          const event = prepare(next, command, user);
          next = apply(next, event);
          batch.push(event);
        }
        if (!batch.length) break;
        await publish(batch);
        batch.forEach(commit);
        done += batch.length;
      }
      return done;
    },
    simulate(everyMs) {
      clearInterval(simulation);
      // What goes wrong, such as a bus that is not there, goes right the next time.
      simulation = everyMs ? setInterval(() => void service.act(undefined, 1, people).catch(() => {}), everyMs) : undefined;
    },
    refuseNext() {
      refusing = true;
    },
  };
  return service;
}
