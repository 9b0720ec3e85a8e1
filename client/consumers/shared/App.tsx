import { useState } from 'react';
import type { ReactElement } from 'react';
import type { EventOf } from './types.js';
import { RealtimeProvider, useRealtimeConnection, useRealtimeEvent, useRealtimeResync } from '@purposepath/realtime/react';
import { rule, useRealtimeInvalidation } from '@purposepath/realtime/query';
import { useRealtimeToasts } from '@purposepath/realtime/toasts';

/** A list that is loaded when the client says so, and kept by events from then on. */
export function Goals(): ReactElement {
  const { connectionState } = useRealtimeConnection();
  const [loads, setLoads] = useState<readonly string[]>([]);
  const [titles, setTitles] = useState<readonly string[]>([]);
  const [stale, setStale] = useState<readonly string[]>([]);
  useRealtimeResync(({ reason }) => setLoads((before) => [...before, reason]));
  useRealtimeEvent({
    eventType: 'goal.created',
    onEvent: (event: EventOf<'goal.created'>, meta) => {
      const title: string = event.data.title;
      if (!meta.replayed) setTitles((before) => [...before, title]);
    },
  });
  useRealtimeToasts();
  useRealtimeInvalidation<readonly string[]>({
    rules: [rule('goal.*', (event) => [['goals', event.data.goalId]])],
    invalidate: (keys, reason) => setStale((before) => [...before, ...(reason === 'resync' ? ['all'] : keys.map((key) => key.join('/')))]),
    debounceMs: 0,
    spreadMs: 0,
  });
  return (
    <main>
      <p id="state">{connectionState}</p>
      <p id="loads">{loads.join(' ')}</p>
      <p id="stale">{stale.join(' ')}</p>
      <ul id="titles">
        {titles.map((title) => (
          <li key={title}>{title}</li>
        ))}
      </ul>
    </main>
  );
}

/** The application of the README, on a server at `url`. */
export function App({ url, tokenUrl }: { readonly url: string; readonly tokenUrl: string }): ReactElement {
  return (
    <RealtimeProvider
      url={url}
      sessionKey="demo/ana"
      getToken={async ({ signal }) => {
        const response = await fetch(tokenUrl, { signal });
        return ((await response.json()) as { token: string }).token;
      }}
    >
      <Goals />
    </RealtimeProvider>
  );
}
