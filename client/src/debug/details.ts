/** The numbers of the panel, and of the report: everything but tokens and payloads. */
import type { RealtimeClient, RealtimeStats } from '../core/options.js';
import type { State } from '../core/state.js';
import type { ConnectionStatus } from '../core/status.js';
import type { Line, Recording } from './recorder.js';
import { VERSION } from '../core/version.js';

/** Milliseconds as people say them: "340 ms", "12 s", "1 h 36 min". */
export const duration = (ms: number): string => {
  const s = Math.round(Math.abs(ms) / 1000);
  if (s < 60) return `${s} s`;
  const min = Math.floor(s / 60);
  return min < 60 ? `${min} min ${s % 60} s` : `${Math.floor(min / 60)} h ${min % 60} min`;
};

/** A moment as hours, minutes, seconds and milliseconds. */
export const clockTime = (at: number): string => {
  const date = new Date(at);
  return `${date.toTimeString().slice(0, 8)}.${String(date.getMilliseconds()).padStart(3, '0')}`;
};

/** State and phase, with the reason. */
export const stateText = (status: ConnectionStatus, now: number): string => {
  switch (status.state) {
    case 'connected':
      return status.stale ? 'connected, behind or slow to answer' : 'connected';
    case 'connecting':
      return `connecting: ${status.phase}, attempt ${status.attempt}`;
    case 'reconnecting':
      return `reconnecting: ${status.phase}, attempt ${status.attempt}${status.retryAt === undefined ? '' : `, next in ${duration(Math.max(0, status.retryAt - now))}`}`;
    case 'disconnected':
      return `disconnected: ${status.reason}`;
    case 'error':
      return 'stopped by an error';
  }
};

/** Milliseconds since 1970 at which one of the machine's timers falls due. */
const dueAt = (state: State, timer: keyof State['timers']): number | undefined => {
  const due = state.timers[timer];
  return due === undefined ? undefined : due - state.t + state.now;
};

const hostOf = (url: string): string => {
  try {
    return new URL(url).host;
  } catch {
    return 'not a URL';
  }
};

/** What of the machine's state is shown: named one by one, so that no token is among it. */
export const detailsOf = (state: State) => {
  const held = Array.from(state.held.keys());
  return {
    host: hostOf(state.options.url),
    session: state.session,
    tenant: state.tenant || undefined,
    user: state.user || undefined,
    connection: state.conn || undefined,
    openedAt: state.link && state.now - (state.t - state.link.at),
    rotateAt: dueAt(state, 'rotate'),
    successor: !!state.next,
    tokenEndsAt: state.expiresAt || undefined,
    renewAt: dueAt(state, 'renew'),
    pingAt: dueAt(state, 'ping'),
    position: state.position,
    head: state.head || undefined,
    held: held.length,
    heldFrom: held.length ? Math.min(...held) : undefined,
    heldTo: held.length ? Math.max(...held) : undefined,
    /** Events that wait until the application has loaded its state. */
    waiting: state.queue.length,
  };
};

/** What "Copy report" copies. */
export interface DebugReport {
  readonly version: string;
  readonly at: string;
  readonly browser: string;
  readonly status: object;
  readonly details: object | undefined;
  readonly stats: RealtimeStats;
  readonly log: readonly Line[];
  /** Without payloads: those may be confidential. */
  readonly frames: readonly object[];
}

/** Everything that helps to find what is wrong, without tokens and payloads. */
export const reportOf = (client: RealtimeClient, { state, log, frames }: Recording, now: number): DebugReport => {
  const status = client.getStatus();
  const { code, message, reason } = ('error' in status && status.error) || {};
  return {
    version: VERSION,
    at: new Date(now).toISOString(),
    browser: navigator.userAgent,
    status: { ...status, ...(code && { error: { code, message, reason } }) },
    details: state && detailsOf(state),
    stats: client.getStats(),
    log,
    frames: frames.map(({ message, ...frame }) => ({ ...frame, sequence: (message as { readonly sequence?: number } | undefined)?.sequence })),
  };
};
