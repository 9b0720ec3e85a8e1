import { createContext } from 'react';
import type { Context } from 'react';
import type { EntityRef, RealtimeEvent } from '../generated/events.js';
import type { RealtimeClient } from '../core/options.js';
import type { Entry } from './registry.js';

/** Words of the components. Every one has an English default. */
export interface RealtimeLabels {
  readonly live: string;
  readonly connecting: string;
  readonly reconnecting: string;
  readonly offline: string;
  readonly stopped: string;
  readonly retryNow: string;
  readonly newItems: (count: number) => string;
  readonly event: (event: RealtimeEvent, names: { readonly actor?: string | undefined; readonly entity?: string | undefined }) => string;
}

/** What the provider hands down. The same object until one of its parts changes. */
export interface Provided {
  readonly client: RealtimeClient | null;
  readonly labels: Partial<RealtimeLabels> | undefined;
  readonly resolveUser: ((userId: string) => { readonly name: string; readonly avatarUrl?: string | undefined } | undefined) | undefined;
  readonly resolveEntity: ((entity: EntityRef) => { readonly title: string; readonly href?: string | undefined } | undefined) | undefined;
}

interface Shared {
  readonly context: Context<Provided | null>;
  readonly entries: Map<string, Entry>;
}

/** One context and one registry, also where an application has loaded the package as ES module and as CommonJS. */
const symbol = Symbol.for('@purposepath/realtime');
const everywhere = globalThis as { [symbol]?: Shared };
export const shared: Shared = (everywhere[symbol] ||= { context: createContext<Provided | null>(null), entries: new Map() });
