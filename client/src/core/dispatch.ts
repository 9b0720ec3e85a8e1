import { actorOf, entityOf, isCatalogueType } from '../generated/events.js';
import type { EntityRef, RealtimeEvent } from '../generated/events.js';
import type { EventMeta } from './options.js';

/** A handler of events of any type. */
export type AnyHandler = (event: RealtimeEvent, meta: EventMeta) => unknown;

/** Whether an event's type is among those that the selectors name. `'*'` stands for the catalogue alone. */
export const matcher = (selector: string | readonly string[]): ((type: string) => boolean) => {
  const all = typeof selector === 'string' ? [selector] : selector;
  return (type) => all.some((s) => (s === '*' ? isCatalogueType(type) : s.slice(-2) === '.*' ? type.indexOf(s.slice(0, -1)) === 0 : s === type));
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
export class Subscribers {
  private readonly all = new Set<Subscription>();
  private byType = new Map<string, readonly Subscription[]>();

  add(selector: string | readonly string[], where: Partial<EntityRef> | undefined, handler: AnyHandler): () => void {
    const subscription = { matches: matcher(selector), where, handler };
    this.all.add(subscription);
    this.byType = new Map();
    return () => {
      this.all.delete(subscription);
      this.byType = new Map();
    };
  }

  /** Calls the handlers in the order of their subscription: those of now, less those that end meanwhile. */
  tell(event: RealtimeEvent, meta: EventMeta, run: (handler: AnyHandler) => void): void {
    const { type } = event;
    let those = this.byType.get(type);
    if (!those) this.byType.set(type, (those = Array.from(this.all).filter(({ matches }) => matches(type))));
    for (const one of those) if (this.all.has(one) && isAbout(meta.entity, one.where)) run(one.handler);
  }

  clear(): void {
    this.all.clear();
    this.byType = new Map();
  }
}

/** What is known of an event beside itself. */
export const metaOf = (event: RealtimeEvent, receivedAt: number, replayed: boolean, user: string, offset: number): EventMeta => {
  const latency = receivedAt + offset - Date.parse(event.timestamp);
  return { receivedAt, latencyMs: latency > 0 ? latency : 0, replayed, own: actorOf(event) === user, entity: entityOf(event) };
};
