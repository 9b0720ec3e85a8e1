/** The page under test: the client as an application uses it, and a record of what it told the application. */
import { StrictMode, useEffect, useState } from 'react';
import type { ReactNode } from 'react';
import { createRoot } from 'react-dom/client';
import type { Root } from 'react-dom/client';
import { createRealtimeClient, shareTabs, validateEvent } from '../../src/index.js';
import type { CatalogueType, ConnectionStatus, EventMeta, GetToken, RealtimeClient, RealtimeEvent, RealtimeOptions, TokenReason } from '../../src/index.js';
import { RealtimeProvider, useRealtimeConnection, useRealtimeEvent } from '../../src/react/index.js';
import { Board } from './board.js';

/** Whose page it is, and where it connects. */
export interface Login {
  readonly url: string;
  /** Where tokens are had. */
  readonly stack: string;
  readonly tenant: string;
  readonly user: string;
  /** Life of a token, such as `5s`. */
  readonly expires?: string;
}

/** Options of the client that a test may set. */
export type Tuning = Pick<RealtimeOptions, 'ping' | 'backoff' | 'rotateAfterMs' | 'sessionKey'> & {
  /** Share the connection with the browser's other tabs. */
  readonly share?: boolean;
};

/** What the application was told, in this order. */
export interface Told {
  readonly events: { readonly id: string; readonly type: string; readonly tenant: string; readonly sequence: number; readonly replayed: boolean; readonly own: boolean }[];
  /** Titles of the goals created, read from events whose type the compiler knows. */
  readonly titles: string[];
  /** Issues that the catalogue's validators have with what came. */
  readonly invalid: string[];
  readonly statuses: ConnectionStatus[];
  readonly resyncs: { readonly reason: string; readonly sequence: number }[];
  readonly errors: string[];
  /** Errors that nobody caught. */
  readonly uncaught: string[];
  readonly tokens: TokenReason[];
  /** Events of the page's life, with whether it goes to or comes from the back-forward cache. */
  readonly life: string[];
  /** Ticks of an interval of 20 ms: none come while the page is frozen. */
  ticks: number;
  /** Times React has run the effects of a mounted component. */
  effects: number;
}

/** Props of the React page. */
export interface Mounted {
  readonly url: string;
  /** null: nobody is signed in. */
  readonly login: Login | null;
  readonly enabled?: boolean;
  /** Shows every component, with the feed of this goal. */
  readonly goalId?: string;
}

export interface Harness {
  readonly told: Told;
  /** Makes a client and connects it. With `loading`, the first session's state takes for ever to load, so its events wait. */
  connect(login: Login, tuning?: Tuning, loading?: boolean): void;
  /** From now on tokens are this user's. */
  become(login: Login): void;
  readonly client: RealtimeClient;
  /** Renders the React page, or what has changed of it. */
  render(props: Mounted): void;
  unmount(): void;
}

declare global {
  interface Window {
    harness: Harness;
  }
}

const told: Told = { events: [], titles: [], invalid: [], statuses: [], resyncs: [], errors: [], uncaught: [], tokens: [], life: [], ticks: 0, effects: 0 };
setInterval(() => told.ticks++, 20);
window.addEventListener('error', ({ message }) => told.uncaught.push(message));
window.addEventListener('unhandledrejection', ({ reason }) => told.uncaught.push(String(reason)));
for (const type of ['pagehide', 'pageshow']) window.addEventListener(type, (event) => told.life.push(`${type} ${(event as PageTransitionEvent).persisted ? 'cached' : 'new'}`));
for (const type of ['freeze', 'resume']) document.addEventListener(type, () => told.life.push(type));
for (const type of ['online', 'offline']) window.addEventListener(type, () => told.life.push(type));

let login: Login | undefined;
const getToken: GetToken = async ({ reason, signal }) => {
  told.tokens.push(reason);
  if (!login) return null;
  const { stack, tenant, user, expires } = login;
  const query = new URLSearchParams({ tenant, user, ...(expires && { expires }) });
  const answer = await fetch(`${stack}/_local/token?${query}`, { signal });
  return ((await answer.json()) as { token: string }).token;
};
const note = (event: RealtimeEvent<CatalogueType>, { replayed, own }: EventMeta): void => {
  told.events.push({ id: event.eventId, type: event.type, tenant: event.tenantId, sequence: event.sequence, replayed, own });
  if (event.type === 'goal.created') told.titles.push(event.data.title);
};
const common = {
  getToken,
  validate: validateEvent,
  onInvalid: (_: unknown, issues: readonly unknown[]): void => void told.invalid.push(JSON.stringify(issues)),
  onError: ({ code, message }: { code: string; message: string }): void => void told.errors.push(`${code}: ${message}`),
} satisfies Partial<RealtimeOptions>;

let client: RealtimeClient | undefined;
const connect: Harness['connect'] = (as, { share, ...tuning } = {}, loading) => {
  login = as;
  client = createRealtimeClient({
    ...common,
    url: as.url,
    ...tuning,
    share: share ? shareTabs : undefined,
    onResync: ({ reason, sequence }) => {
      told.resyncs.push({ reason, sequence });
      return loading && told.resyncs.length === 1 ? new Promise(() => {}) : undefined;
    },
  });
  client.onStatus((status) => void told.statuses.push(status));
  client.subscribe('*', note);
  // What goes wrong is among the errors.
  client.connect().catch(() => {});
};

const Page = ({ goalId }: { readonly goalId: string | undefined }): ReactNode => {
  const [titles, setTitles] = useState<readonly string[]>([]);
  const { connectionState } = useRealtimeConnection();
  useRealtimeEvent({ eventType: '*', onEvent: note });
  useRealtimeEvent({ eventType: 'goal.created', onEvent: ({ data }) => setTitles((all) => [...all, data.title]) });
  useEffect(() => void told.effects++, []);
  if (goalId) return <Board goalId={goalId} />;
  return (
    <>
      <p id="state">{connectionState}</p>
      <ul>
        {titles.map((title) => (
          <li key={title}>{title}</li>
        ))}
      </ul>
    </>
  );
};

/** What this application calls users and entities. */
const names = {
  resolveUser: () => ({ name: 'Ana Berg' }),
  resolveEntity: () => ({ title: 'Reduce churn', href: '#goal' }),
};

let root: Root | undefined;
const render: Harness['render'] = ({ url, login: as, enabled, goalId }) => {
  login = as || undefined;
  root ||= createRoot(document.getElementById('root') as HTMLElement);
  const session = as && `${as.tenant}/${as.user}`;
  root.render(
    <StrictMode>
      <RealtimeProvider {...common} {...names} url={url} sessionKey={session} enabled={enabled} onResync={({ reason, sequence }) => void told.resyncs.push({ reason, sequence })}>
        <Page key={session} goalId={goalId} />
      </RealtimeProvider>
    </StrictMode>,
  );
};

window.harness = {
  told,
  connect,
  become: (as) => void (login = as),
  get client() {
    if (!client) throw new Error('this page has no client of its own');
    return client;
  },
  render,
  unmount: () => root?.unmount(),
};
