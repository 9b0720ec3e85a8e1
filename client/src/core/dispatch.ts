import { actorOf, entityOf, isCatalogueType } from '../generated/events.js';
import type { EntityRef, RealtimeEvent } from '../generated/events.js';
import type { EventMeta } from './options.js';

/** A handler of events of any type. */
export type AnyHandler = (event: RealtimeEvent, meta: EventMeta) => unknown;

/** Whether an event's type is among those that the selectors name. `'*'` stands for the catalogue alone. */
export const matcher = (selector: string | readonly string[]): ((type: string) => boolean) => {
  const all = typeof selector === 'string' ? [selector] : selector;
  return (type) => all.some((s) => (s === '*' ? isCatalogueType(type) : s.endsWith('.*') ? type.startsWith(s.slice(0, -1)) : s === type));
};

/** Whether an entity is the one, or of the kind, that is asked for. */
export const isAbout = (entity: EntityRef | undefined, where: Partial<EntityRef> | undefined): boolean =>
  !where || (!!entity && (where.kind === undefined || where.kind === entity.kind) && (where.id === undefined || where.id === entity.id));

interface Subscription {
  readonly matches: (type: string) => boolean;
  readonly where: Partial<EntityRef> | undefined;
  readonly handler: AnyHandler;
}

/** Who is told of which event. */
export interface Subscribers {
  add(selector: string | readonly string[], where: Partial<EntityRef> | undefined, handler: AnyHandler): () => void;
  /** Calls the handlers in the order of their subscription: those of now, less those that end meanwhile. */
  tell(event: RealtimeEvent, meta: EventMeta, run: (handler: AnyHandler) => void): void;
  clear(): void;
}

export const createSubscribers = (): Subscribers => {
  const all = new Set<Subscription>();
  const byType = new Map<string, readonly Subscription[]>();
  return {
    add(selector, where, handler) {
      const subscription = { matches: matcher(selector), where, handler };
      all.add(subscription);
      byType.clear();
      return () => {
        all.delete(subscription);
        byType.clear();
      };
    },
    tell(event, meta, run) {
      const { type } = event;
      let those = byType.get(type);
      if (!those) byType.set(type, (those = [...all].filter(({ matches }) => matches(type))));
      for (const one of those) if (all.has(one) && isAbout(meta.entity, one.where)) run(one.handler);
    },
    clear() {
      all.clear();
      byType.clear();
    },
  };
};

/** What is known of an event beside itself. */
export const metaOf = (event: RealtimeEvent, receivedAt: number, replayed: boolean, user: string, offset: number): EventMeta => {
  const latency = receivedAt + offset - Date.parse(event.timestamp);
  return { receivedAt, latencyMs: latency > 0 ? latency : 0, replayed, own: actorOf(event) === user, entity: entityOf(event) };
};
