import { useEffect, useMemo, useState } from 'react';
import type { ReactElement } from 'react';
import { shareTabs, validateEvent } from '@purposepath/realtime';
import { RealtimeProvider } from '@purposepath/realtime/react';
import { personOf, tenantOf, tenants } from '../domain/people.js';
import type { Person } from '../domain/people.js';
import { Board } from './board/Board.js';
import { createDirectory } from './board/directory.js';
import { Header } from './board/Header.js';
import { config, densities, isFake, sharesTabs, themes, useChoice } from './settings.js';
import { createInPageServer } from './server/fake.js';
import type { Session } from './server/server.js';
import { createStackServer } from './server/stack.js';

/** Everybody who can be signed in, by tenant and user. */
const sessions: readonly Session[] = tenants.flatMap(({ id, people }) => people.slice(0, 2).map((user: Person) => ({ tenantId: id, user })));
const keyOf = ({ tenantId, user }: Session): string => `${tenantId}/${user.id}`;

/** The session, its server, and the connection around the board. */
export function App(): ReactElement {
  const [key, setKey] = useChoice('user', sessions.map(keyOf), keyOf(sessions[0] as Session));
  const [theme, setTheme] = useChoice('theme', themes, 'system');
  const [density, setDensity] = useChoice('density', densities, 'comfortable');
  const [enabled, setEnabled] = useState(isFake || config.enabled);
  const session = sessions.find((one) => keyOf(one) === key) as Session;
  const server = useMemo(() => (isFake ? createInPageServer(session) : createStackServer(config.url, session)), [session]);
  const [directory] = useState(createDirectory);

  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    document.documentElement.dataset.density = density;
  }, [theme, density]);

  return (
    <RealtimeProvider
      url={server.url}
      getToken={server.getToken}
      sessionKey={key}
      enabled={enabled}
      ports={server.ports}
      share={sharesTabs ? shareTabs : undefined}
      validate={import.meta.env.DEV ? validateEvent : undefined}
      resolveUser={personOf}
      resolveEntity={directory.resolve}
    >
      <div className="page">
        {/* Not part of the board: whoever signs in as somebody else keeps the focus there. */}
        <Header session={session} view={{ theme, density, setTheme, setDensity }} account={{ sessions, choose: (next) => setKey(keyOf(next)) }} />
        {/* A board of its own for each session: nothing of the one before is left. */}
        <Board key={key} session={session} tenant={tenantOf(session.tenantId)} server={server} directory={directory} enabled={enabled} onEnabled={setEnabled} theme={theme} />
      </div>
    </RealtimeProvider>
  );
}
