import { useCallback, useEffect, useMemo, useReducer, useRef } from 'react';
import { toast } from 'sonner';
import { useRealtimeBatch, useRealtimeEvent, useRealtimeResync, useRealtimeStatus } from '@purposepath/realtime/react';
import type { Command } from '../../domain/commands.js';
import type { State } from '../../domain/state.js';
import { newId } from '../newId.js';
import type { Server, Session } from '../server/server.js';
import type { Directory } from './directory.js';
import { emptyBoard, predict, reduceBoard, shownOf } from './optimistic.js';
import type { Board, BoardChange } from './optimistic.js';

/** What {@link useBoard} returns. */
export interface BoardControl {
  readonly board: Board;
  /** What is shown; undefined while nothing is loaded. */
  readonly state: State | undefined;
  /** Shows a change at once, and asks the service for it. */
  readonly run: (command: Command) => void;
  /** Takes a refused change back. */
  readonly undo: (correlationId: string) => void;
  readonly load: () => Promise<void>;
}

const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** The board's state: loaded when the page or the client says so, kept up by events, with the user's own changes on top. */
export function useBoard(server: Server, { tenantId, user }: Session, directory: Directory): BoardControl {
  const [board, change] = useReducer(reduceBoard, emptyBoard);
  const state = useMemo(() => shownOf(board), [board]);

  const loads = useRef(0);
  const load = useCallback(async (): Promise<void> => {
    const mine = ++loads.current;
    change({ is: 'loading' });
    const end = await (async (): Promise<BoardChange> => {
      try {
        if (server.wire.isOffline) throw new Error('There is no network.');
        return { is: 'loaded', snapshot: await server.snapshot() };
      } catch (error) {
        return { is: 'not-loaded', problem: textOf(error) };
      }
    })();
    // An answer that another question has overtaken is older than what is there.
    if (mine !== loads.current) return;
    if (end.is === 'loaded') directory.update(end.snapshot.state);
    change(end);
  }, [server, directory]);
  useEffect(() => {
    if (state) directory.update(state);
  }, [directory, state]);
  // Also without realtime, and before it is there.
  useEffect(() => void load(), [load]);
  useRealtimeResync(load);
  useRealtimeEvent({ eventType: ['goal.created', 'action.created', 'issue.created'], onEvent: (event) => directory.hear(event) });
  useRealtimeBatch({ eventType: '*', onEvents: (events) => change({ is: 'events', events }) });
  // Connecting or connected, the client hears what it has missed, too.
  const hears = useRealtimeStatus((status) => status.state !== 'disconnected' && status.state !== 'error');
  useEffect(() => {
    if (!hears) change({ is: 'unheard' });
  }, [hears, board.pending]);

  const run = (command: Command): void => {
    if (!state) return;
    const correlationId = newId();
    try {
      change({ is: 'asked', correlationId, event: predict(state, command, tenantId, user, correlationId, Date.now()) });
    } catch (error) {
      // What it is about is not there, so there is nothing to say it beside.
      toast.error(textOf(error));
      return;
    }
    const ask = async (): Promise<void> => {
      try {
        if (server.wire.isOffline) throw new Error('There is no network.');
        change({ is: 'accepted', correlationId, event: await server.execute(command, correlationId) });
      } catch (error) {
        change({ is: 'refused', correlationId, problem: textOf(error) });
      }
    };
    void ask();
  };
  const undo = useCallback((correlationId: string): void => change({ is: 'undone', correlationId }), []);
  return { board, state, run, undo, load };
}
