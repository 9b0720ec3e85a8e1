import { createContext } from 'react';
import type { Context } from 'react';
import type { EntityRef, RealtimeEvent } from '../generated/events.js';
import type { ErrorCode } from '../core/error.js';
import type { RealtimeClient } from '../core/options.js';
import type { ConnectionStatus } from '../core/status.js';
import type { Entry } from './registry.js';

/** Words of the components. Every one has an English default. */
export interface RealtimeLabels {
  /** The indicator, connected; also what LiveBadge says. */
  readonly live: string;
  readonly connecting: string;
  readonly reconnecting: string;
  /** No network, or disconnected by the application. */
  readonly offline: string;
  /** Nobody is signed in. */
  readonly signedOut: string;
  /** Stopped by an error: what the user can do about it, by its code. */
  readonly stopped: (code: ErrorCode) => string;
  /** Connected, but what is shown may be old. */
  readonly updating: string;
  readonly retryNow: string;
  /** What screen readers hear when it is back. */
  readonly reconnected: string;
  /** Names the indicator's button and its panel. */
  readonly connection: string;
  /** The state as a sentence, in the panel. */
  readonly sentence: (status: ConnectionStatus) => string;
  /** Since when the state holds; a time follows, as after `lastEvent`. */
  readonly since: string;
  /** How long events take; milliseconds follow. */
  readonly latency: string;
  readonly lastEvent: string;
  /** How often connecting has been tried; a number follows. */
  readonly attempt: string;
  readonly nextTry: (seconds: number) => string;
  /** The button that shows what has come while the reader was further down. */
  readonly newItems: (count: number) => string;
  /** The heading above what was missed. */
  readonly missed: (count: number) => string;
  /** A toast's title: what happened, in few words. */
  readonly toastTitle: (event: RealtimeEvent) => string;
  /** Who did it, in the line below. */
  readonly toastActor: (name: string) => string;
  /** One toast for several events; `away`: for what was missed. */
  readonly toastSummary: (count: number, away: boolean) => string;
  /** How many of them are critical issues, in the line below. */
  readonly toastCritical: (count: number) => string;
  /** The button that takes a toast away. */
  readonly dismiss: string;
  /** What happened, as one sentence. Names that are unknown are undefined; an id is never shown. */
  readonly event: (event: RealtimeEvent, names: { readonly actor?: string | undefined; readonly entity?: string | undefined }) => string;
  /** The same in the feed of a goal, where the goal goes without saying. Default: `event` where that is given. */
  readonly activity: RealtimeLabels['event'];
  /** Several events alike of one person, newest first, as one sentence. */
  readonly group: (events: readonly RealtimeEvent[], names: { readonly actor?: string | undefined; readonly entity?: string | undefined }) => string;
  /** The button that shows them one by one. */
  readonly each: (count: number) => string;
  /** The name of the feed. */
  readonly feed: string;
  /** An empty feed: what it is, and what will come. */
  readonly feedEmpty: readonly [title: string, text: string];
  readonly feedFailed: string;
  readonly tryAgain: string;
  /** The button below the oldest entry. */
  readonly earlier: string;
  /** While the feed's connection is lost; `time` is in the language of `locale`. */
  readonly paused: (time: string) => string;
  /** Less than a minute ago. */
  readonly justNow: string;
  /** The language of times, as a BCP 47 tag: that of the other words. */
  readonly locale: string;
}

/** What the provider hands down. The same object until one of its parts changes. */
export interface Provided {
  readonly client: RealtimeClient | null;
  readonly labels: Partial<RealtimeLabels> | undefined;
  readonly resolveUser: ((userId: string) => { readonly name: string; readonly avatarUrl?: string | undefined } | undefined) | undefined;
  readonly resolveEntity: ((entity: EntityRef) => { readonly title?: string | undefined; readonly href?: string | undefined } | undefined) | undefined;
}

interface Shared {
  readonly context: Context<Provided | null>;
  readonly entries: Map<string, Entry>;
}

/** One context and one registry, also where an application has loaded the package as ES module and as CommonJS. */
const symbol = Symbol.for('@purposepath/realtime');
const everywhere = globalThis as { [symbol]?: Shared };
export const shared: Shared = (everywhere[symbol] ||= { context: createContext<Provided | null>(null), entries: new Map() });
