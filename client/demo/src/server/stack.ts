import type { Answer, Requests } from '../../domain/host.js';
import { tenantOf } from '../../domain/people.js';
import type { Snapshot } from '../../domain/service.js';
import type { DomainEvent } from '../../domain/state.js';
import { control, takeOver } from './server.js';
import type { Server, Session } from './server.js';
import { createWire } from './wire.js';

const ask = async (route: string, init?: RequestInit): Promise<unknown> => {
  const answer = await fetch(route, init);
  const { value, error } = (await answer.json().catch(() => ({ error: `The service answered ${answer.status}.` }))) as Answer;
  if (error !== undefined) throw new Error(error);
  return value;
};
const post = <R extends keyof Requests>(route: R, body: Requests[R]): Promise<unknown> => ask(route, { method: 'POST', keepalive: true, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) });

/** The local stack, and the domain service in the process that serves this page. */
export function createStackServer(url: string, { tenantId, user }: Session): Server {
  const wire = createWire();
  const stack = url.replace(/^ws/, 'http');
  const open = (to: string): WebSocket => new WebSocket(to);
  const token = async (signal?: AbortSignal): Promise<string> => {
    const answer = await fetch(`${stack}/_local/token?${new URLSearchParams({ tenant: tenantId, user: user.id }).toString()}`, signal ? { signal } : {});
    if (!answer.ok) throw new Error(`The stack gives no token: status ${answer.status}.`);
    return ((await answer.json()) as { readonly token: string }).token;
  };
  return {
    url,
    wire,
    ports: { socket: wire.through(open) },
    getToken: ({ signal }) => token(signal),
    snapshot: async () => (await ask(`/service/snapshot?tenant=${tenantId}`)) as Snapshot,
    execute: async (command, correlationId) => (await post('/service/command', { tenantId, userId: user.id, command, correlationId })) as DomainEvent,
    act: async (type, count, by) => (await post('/service/act', { tenantId, type, count, by: by === 'me' ? [user.id] : tenantOf(tenantId).people.map(({ id }) => id).filter((id) => id !== user.id) })) as number,
    isBusy: false,
    simulate: async (everyMs) => void (await post('/service/simulate', { tenantId, everyMs })),
    refuseNext: async () => void (await post('/service/refuse', { tenantId })),
    faults: [
      { name: 'Close', hint: 'The server ends the connection; the client is back within a second.', run: (connectionId) => post('/service/connection', { connectionId, close: true }) },
      {
        name: 'End the token',
        hint: 'The server says that the token has ended, and closes; the client comes back with a new one.',
        run: (connectionId) => post('/service/connection', { connectionId, message: control('connection_error', { error: 'the token has ended', code: 'UNAUTHORIZED', reason: 'token_expired' }), close: true }),
      },
      { name: 'Rotate', hint: 'The server asks to move to a new connection: nothing is to be seen.', run: (connectionId) => post('/service/connection', { connectionId, message: control('rotate', {}) }) },
      { name: 'Replace', hint: 'The same user takes this connection over elsewhere: it stops, until the page is looked at again or somebody retries.', run: async (connectionId) => takeOver(open, url, await token(), connectionId) },
      {
        name: 'Gateway error',
        hint: 'API Gateway says "Internal server error": counted, never shown.',
        run: (connectionId) => post('/service/connection', { connectionId, message: { message: 'Internal server error', connectionId, requestId: 'demo=' } }),
      },
    ],
  };
}
