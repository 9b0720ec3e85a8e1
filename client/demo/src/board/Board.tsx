import { useEffect, useMemo, useState, useSyncExternalStore } from 'react';
import type { ReactElement } from 'react';
import { Toaster } from 'sonner';
import { useRealtimeToasts } from '@purposepath/realtime/toasts';
import type { Tenant } from '../../domain/people.js';
import { isOpen } from '../../domain/state.js';
import { Tools } from '../drawers/Tools.js';
import type { Server, Session } from '../server/server.js';
import type { Theme } from '../settings.js';
import type { Directory } from './directory.js';
import { Activity } from './Activity.js';
import { byAge, Goals } from './Goals.js';
import { Skeleton } from './Skeleton.js';
import { Summary } from './Summary.js';
import { useBoard } from './useBoard.js';
import { Work } from './Work.js';

/** Props of {@link Board}. */
export interface BoardProps {
  readonly session: Session;
  readonly tenant: Tenant;
  readonly server: Server;
  readonly directory: Directory;
  /** The feature flag of realtime. */
  readonly enabled: boolean;
  readonly onEnabled: (enabled: boolean) => void;
  readonly theme: Theme;
}

const subscribeToHash = (listener: () => void): (() => void) => {
  addEventListener('hashchange', listener);
  return () => removeEventListener('hashchange', listener);
};
/** The goal that the page's address names, and what belongs to it. */
const usePlace = (): { readonly goalId: string | undefined; readonly entityId: string | undefined } => {
  const hash = useSyncExternalStore(subscribeToHash, () => location.hash);
  const [, goalId, entityId] = /^#\/goals\/([^/]+)(?:\/(.+))?$/.exec(hash) ?? [];
  return useMemo(() => ({ goalId, entityId }), [goalId, entityId]);
};

/** What one session sees and does. */
export function Board({ session, tenant, server, directory, enabled, onEnabled, theme }: BoardProps): ReactElement {
  const control = useBoard(server, session, directory);
  const { board, state, run, undo, load } = control;
  useRealtimeToasts();
  const place = usePlace();
  const goals = state ? byAge(state.goals) : [];
  const goal = goals.find(({ id }) => id === place.goalId) ?? goals.find(isOpen);
  const isLoaded = !!state;
  useEffect(() => {
    const { goalId, entityId } = place;
    if (!isLoaded || !goalId) return;
    // In one column the goal that was chosen is further down.
    const narrow = matchMedia('(max-width: 719px)').matches;
    const shown = entityId === undefined ? narrow && document.querySelector('.activity') : document.getElementById(entityId);
    if (shown) shown.scrollIntoView({ block: entityId === undefined ? 'start' : 'center' });
  }, [place, isLoaded]);
  const [isLate, setIsLate] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setIsLate(true), 300);
    return () => clearTimeout(timer);
  }, []);

  return (
    <>
      {board.problem && (
        <div className="problem" role="alert">
          <span>The board could not be loaded. {board.problem}</span>
          <button type="button" className="link" onClick={() => void load()}>
            Try again
          </button>
        </div>
      )}
      <main className="board" aria-busy={!state}>
        {state ? (
          <>
            <Goals state={state} pending={board.pending} selectedId={goal?.id} run={run} onUndo={undo} summary={<Summary server={server} />} />
            {goal && <Activity goal={goal} history={board.history} run={run} />}
            {goal && <Work key={goal.id} goal={goal} state={state} tenant={tenant} user={session.user} pending={board.pending} run={run} onUndo={undo} />}
          </>
        ) : (
          isLate && !board.problem && <Skeleton />
        )}
      </main>
      <Tools server={server} control={control} enabled={enabled} onEnabled={onEnabled} />
      <Toaster theme={theme} position="bottom-right" visibleToasts={3} offset={{ bottom: 52, right: 20 }} mobileOffset={{ bottom: 64, left: 12, right: 12 }} />
    </>
  );
}
