import type { ReactElement } from 'react';
import { flushSync } from 'react-dom';
import type { Pending } from './optimistic.js';

/** How an element is marked that shows a change before it is known to have happened. */
export const waitingProps = (pending: Pending | undefined): { readonly 'data-pending'?: 'waiting' | 'refused'; readonly 'aria-busy'?: boolean } =>
  pending ? { 'data-pending': pending.phase === 'refused' ? 'refused' : 'waiting', 'aria-busy': pending.phase !== 'refused' } : {};

/** Runs what takes a button away, and moves the focus to the control beside it: of its row or, where that goes, too, of the list around it. */
const keepFocus = (button: HTMLElement, run: () => void): void => {
  const row = button.closest('li');
  const around = row?.parentElement?.parentElement;
  flushSync(run);
  if (!button.isConnected) (row?.isConnected ? row : around)?.querySelector<HTMLElement>('a, button, input, select')?.focus();
};

/** Says that a change was refused, and takes it back. */
export function Refusal({ pending, onUndo }: { readonly pending: Pending | undefined; readonly onUndo: (correlationId: string) => void }): ReactElement | null {
  if (pending?.phase !== 'refused') return null;
  return (
    <div className="refusal" role="alert">
      <span>{pending.problem}</span>
      <button type="button" className="link" onClick={({ currentTarget }) => keepFocus(currentTarget, () => onUndo(pending.correlationId))}>
        Undo
      </button>
    </div>
  );
}
