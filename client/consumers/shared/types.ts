// What an application does with the package's types: narrowing, names that don't exist, and types of its own.
import { createEventSourceShim, createRealtimeClient, EventTypes, FatalTokenError, isEvent, realtimeConfig, validateEvent } from '@purposepath/realtime';
import type { ConnectionStatus, RealtimeClient, RealtimeError, RealtimeEvent, RealtimeEventType } from '@purposepath/realtime';
import { nativePage } from '@purposepath/realtime/react-native';

export type EventOf<T extends RealtimeEventType> = RealtimeEvent<T>;

export const client: RealtimeClient = createRealtimeClient({
  url: 'wss://realtime.example.com/prod',
  getToken: async ({ reason }) => {
    if (reason === 'rejected') throw new FatalTokenError('signed out elsewhere');
    return 'token';
  },
  onError: (error: RealtimeError) => console.warn(error.code, error.retryable),
  ports: { page: nativePage({ AppState: { currentState: 'active', addEventListener: () => ({ remove: () => undefined }) } }) },
});

client.subscribe(['goal.completed', 'issue.*'], (event, meta) => {
  if (event.type === 'issue.created') console.log(event.data.severity, meta.own);
  // @ts-expect-error a goal.completed has no severity
  if (event.type === 'goal.completed') console.log(event.data.severity);
});
// @ts-expect-error there is no such type
client.subscribe('goal.create', () => undefined);
// @ts-expect-error there is no such family
client.subscribe('goals.*', () => undefined);

/** Every state has a sentence: leaving one out would not compile. */
export function sentence(status: ConnectionStatus): string {
  switch (status.state) {
    case 'connected':
      return 'live';
    case 'connecting':
      return 'connecting';
    case 'reconnecting':
      return 'attempt ' + status.attempt;
    case 'disconnected':
      return status.reason;
    case 'error':
      return status.error.message;
  }
}

export const config = realtimeConfig({ REACT_APP_FEATURE_REALTIME: 'true', REACT_APP_REALTIME_WS_URL: 'wss://realtime.example.com/prod' });
const shim = createEventSourceShim(client);
shim.addEventListener('goal-created', (message) => console.log(JSON.parse(message.data)));
const stranger: unknown = JSON.parse('{}');
if (isEvent(stranger, EventTypes.GOAL_CREATED)) console.log(stranger.data.title);
const checked = validateEvent(stranger);
if (!checked.ok) console.log(checked.issues.map(({ path }) => path));
