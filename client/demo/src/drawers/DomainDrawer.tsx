import { useEffect, useState } from 'react';
import type { ReactElement } from 'react';
import { EventTypes } from '@purposepath/realtime';
import type { CatalogueType } from '@purposepath/realtime';
import type { BoardControl } from '../board/useBoard.js';
import type { Server } from '../server/server.js';
import { isSame } from './isSame.js';

/** Milliseconds between two things that the team does. */
const PACE = 7_000;
const types = Object.values(EventTypes);
const groups = ['goal', 'action', 'issue', 'measure'].map((kind) => ({ kind, types: types.filter((type) => type.startsWith(`${kind}.`)) }));

/** The other side: what the domain service does, event by event, in bursts, or as a team does it all day. */
export function DomainDrawer({ server, control: { board } }: { readonly server: Server; readonly control: BoardControl }): ReactElement {
  const [by, setBy] = useState<'others' | 'me'>('others');
  const [isSimulating, setIsSimulating] = useState(server.isBusy);
  const [said, setSaid] = useState('');
  useEffect(() => {
    if (!isSimulating) return undefined;
    void server.simulate(PACE);
    const stop = (): void => void server.simulate(0);
    // The service does not see the page go.
    addEventListener('pagehide', stop);
    return () => {
      removeEventListener('pagehide', stop);
      stop();
    };
  }, [server, isSimulating]);
  const act = async (what: string, type: CatalogueType | undefined, count: number): Promise<void> => {
    try {
      const done = await server.act(type, count, by);
      setSaid(done ? `${what}: ${done === 1 ? '1 event' : `${done} events`} put on the bus.` : `${what}: there is nothing it could be done to. Try another first.`);
    } catch (error) {
      setSaid(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };
  const compare = async (): Promise<void> => {
    const { state } = await server.snapshot();
    setSaid(board.confirmed && isSame(board.confirmed, state) ? 'The board equals what the domain service knows.' : 'The board differs from what the domain service knows. Events may be on their way.');
  };
  return (
    <>
      <div className="drawer-row">
        <fieldset className="segments">
          <legend>Done by</legend>
          {(['others', 'me'] as const).map((who) => (
            <label key={who}>
              <input type="radio" name="by" checked={by === who} onChange={() => setBy(who)} />
              {who === 'me' ? 'Me, elsewhere' : 'The others'}
            </label>
          ))}
        </fieldset>
        <div className="buttons">
          {[20, 200].map((count) => (
            <button key={count} type="button" className="button" onClick={() => void act(`Burst of ${count}`, undefined, count)}>
              Burst of {count}
            </button>
          ))}
          <button type="button" className="button" aria-pressed={isSimulating} onClick={() => setIsSimulating(!isSimulating)}>
            Team at work
          </button>
          <button type="button" className="button" onClick={() => void server.refuseNext().then(() => setSaid('The next change on this page will be refused.'))}>
            Refuse my next change
          </button>
          <button type="button" className="button" onClick={() => void compare()}>
            Compare with the board
          </button>
        </div>
      </div>
      <div className="event-types">
        {groups.map((group) => (
          <div key={group.kind} className="buttons" role="group" aria-label={`Events of ${group.kind}s`}>
            {group.types.map((type) => (
              <button key={type} type="button" className="button code" onClick={() => void act(type, type, 1)}>
                {type}
              </button>
            ))}
          </div>
        ))}
      </div>
      <p className="drawer-said" role="status">
        {said}
      </p>
    </>
  );
}
