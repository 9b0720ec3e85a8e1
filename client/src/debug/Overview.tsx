import type { ReactElement } from 'react';
import type { RealtimeClient } from '../core/options.js';
import { detailsOf, duration, stateText } from './details.js';
import type { Recording } from './recorder.js';

type Row = readonly [name: string, value: string | number | null | undefined];

const ms = (value: number | null): string | null => (value === null ? null : `${Math.round(value)} ms`);

const rowsOf = (client: RealtimeClient, { state }: Recording, now: number): readonly (readonly [title: string, rows: readonly Row[]])[] => {
  const since = (at: number | null | undefined): string | null => (at ? `${duration(now - at)} ago` : null);
  const until = (at: number | undefined): string | null => (at ? (at > now ? `in ${duration(at - now)}` : 'now') : null);
  const status = client.getStatus();
  const stats = client.getStats();
  const error = ('error' in status && status.error) || undefined;
  const { host, session, tenant, user, connection, openedAt, rotateAt, successor, tokenEndsAt, renewAt, pingAt, position, head, held, heldFrom, heldTo, waiting } = state ? detailsOf(state) : ({} as Partial<ReturnType<typeof detailsOf>>);
  const { latencyMs: latency } = stats;
  return [
    [
      'Connection',
      [
        ['State', stateText(status, now)],
        ['Error', error && `${error.code}${error.reason ? ` (${error.reason})` : ''}: ${error.message}`],
        ['Server', host],
        ['Session', session],
        ['Tenant', tenant],
        ['User', user],
        ['Connection', connection],
        ['Connected', since(stats.connectedSince)],
        ['Opened', since(openedAt)],
        ['Handover due', successor ? 'under way' : until(rotateAt)],
        ['Next ping', until(pingAt)],
        ['Token renewed', until(renewAt)],
        ['Token ends', until(tokenEndsAt)],
      ],
    ],
    [
      'Position',
      [
        ['Position', stats.sequence],
        ['Known head', head],
        ['Behind by', head && position !== undefined && position !== null ? Math.max(0, head - position) : undefined],
        ['Held', held && `${held}, ${heldFrom ?? ''} to ${heldTo ?? ''}`],
        ['Waiting for state', waiting],
      ],
    ],
    [
      'Time',
      [
        ['Latency', latency && `p50 ${Math.round(latency.p50)}, p95 ${Math.round(latency.p95)}, p99 ${Math.round(latency.p99)} ms`],
        ['Round trip', ms(stats.roundTripMs)],
        ['Clock offset', ms(stats.clockOffsetMs)],
        ['Last event', since(stats.lastEventAt)],
        ['Last pong', since(stats.lastPongAt)],
      ],
    ],
    [
      'Counters',
      [
        ['Attempts', stats.attempts],
        ['Reconnects', stats.reconnects],
        ['Handovers', stats.rotations],
        ['Events received', stats.received],
        ['Replayed', stats.replayed],
        ['Doubles', stats.duplicates],
        ['Gaps', stats.gaps],
        ['Unknown types', stats.unknown],
        ['Gateway errors', stats.gatewayErrors],
      ],
    ],
  ];
};

/** State, positions, times and counters. What there is nothing of is left out. */
export function Overview({ client, recording, now }: { readonly client: RealtimeClient; readonly recording: Recording; readonly now: number }): ReactElement {
  return (
    <>
      {rowsOf(client, recording, now).map(([title, rows]) => (
        <div key={title} role="group" aria-label={title}>
          <b aria-hidden="true">{title}</b>
          <dl>
            {rows.map(([name, value]) =>
              value === undefined || value === null ? null : (
                <div key={name} style={{ display: 'contents' }}>
                  <dt>{name}</dt>
                  <dd>{value}</dd>
                </div>
              ),
            )}
          </dl>
        </div>
      ))}
    </>
  );
}
