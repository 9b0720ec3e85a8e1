import { useEffect, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { useRealtime } from '@purposepath/realtime/react';
import type { Fault, Server } from '../server/server.js';

/** Seconds of an absence, and milliseconds between two things that happen meanwhile. */
const AWAY = 30;
const MEANWHILE = 2_500;
/** More than a client has replayed. */
const TOO_MANY = 1_001;

const Group = ({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement => (
  <div className="buttons" role="group" aria-label={name}>
    <span className="drawer-label" aria-hidden="true">
      {name}
    </span>
    {children}
  </div>
);

/** Everything that goes wrong between a page and its server. */
export function BreakDrawer({ server, enabled, onEnabled }: { readonly server: Server; readonly enabled: boolean; readonly onEnabled: (enabled: boolean) => void }): ReactElement {
  const { wire } = server;
  const { status, connectionState, client, connect, disconnect } = useRealtime();
  const [isOffline, setIsOffline] = useState(wire.isOffline);
  const [isHeld, setIsHeld] = useState(false);
  const [away, setAway] = useState(0);
  const [said, setSaid] = useState('');
  const connectionId = status.state === 'connected' ? status.connectionId : '';

  const offline = (off: boolean): void => {
    wire.offline(off);
    setIsOffline(off);
  };
  const run = async ({ name, hint, run: strike }: Fault): Promise<void> => {
    setSaid(`${name}: ${hint}`);
    try {
      await strike(connectionId);
    } catch (error) {
      setSaid(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  useEffect(() => {
    if (!away) return undefined;
    const timer = setTimeout(() => {
      setAway(away - 1);
      if (away === 1) {
        wire.offline(false);
        setIsOffline(false);
      }
    }, 1_000);
    return () => clearTimeout(timer);
  }, [away, wire]);
  const leave = (): void => {
    offline(true);
    setAway(AWAY);
    setSaid('The others go on; on return the feed shows what was missed.');
    for (let at = MEANWHILE; at < AWAY * 1_000; at += MEANWHILE) setTimeout(() => void server.act(undefined, 1, 'others'), at);
  };
  const missTooMany = async (): Promise<void> => {
    offline(true);
    setSaid(`${TOO_MANY} events happen while nothing can be heard …`);
    const count = await server.act(undefined, TOO_MANY, 'others');
    offline(false);
    setSaid(`${count} events were missed, more than are replayed: the board loads its state again.`);
  };

  const line: readonly Fault[] = [
    { name: 'Cut the line', hint: 'The socket closes without a word; the client is back within a second.', run: () => wire.cut() },
    { name: 'Half-open', hint: 'Nothing passes any more and nobody is told. Look away and come back: found within 5 seconds.', run: () => wire.silence() },
    { name: 'Lose one message', hint: 'The next message of the server is lost. The one after it shows the gap, and it is fetched.', run: () => wire.loseNext() },
  ];
  const button = (fault: Fault): ReactElement => (
    <button key={fault.name} type="button" className="button" title={fault.hint} disabled={!connectionId} onClick={() => void run(fault)}>
      {fault.name}
    </button>
  );
  return (
    <>
      <div className="drawer-row">
        <Group name="The line">
          {line.map(button)}
          <button type="button" className="button" aria-pressed={isOffline} disabled={away > 0} onClick={() => offline(!isOffline)}>
            Offline
          </button>
          <button
            type="button"
            className="button"
            aria-pressed={isHeld}
            onClick={() => {
              wire.hold(!isHeld);
              setIsHeld(!isHeld);
            }}
          >
            Hold answers
          </button>
        </Group>
      </div>
      <div className="drawer-row">
        <Group name="The server">
          {server.faults.map(button)}
        </Group>
      </div>
      <div className="drawer-row">
        <Group name="The application">
          <button type="button" className="button" disabled={away > 0 || isOffline || !client} onClick={leave}>
            {away ? `Away for ${away} s` : `Be away for ${AWAY} s`}
          </button>
          <button type="button" className="button" disabled={away > 0 || isOffline || !client} onClick={() => void missTooMany()}>
            Miss {TOO_MANY} events
          </button>
          <button type="button" className="button" disabled={!client} aria-pressed={connectionState === 'disconnected'} onClick={() => (connectionState === 'disconnected' ? void connect().catch(() => {}) : disconnect())}>
            Disconnect
          </button>
          <button type="button" className="button" aria-pressed={!enabled} onClick={() => onEnabled(!enabled)}>
            Flag off
          </button>
        </Group>
        <output className="drawer-state">
          {connectionState}
          {connectionId && <code> {connectionId}</code>}
        </output>
      </div>
      <p className="drawer-said" role="status">
        {said}
      </p>
    </>
  );
}
