import type { ReactElement } from 'react';
import type { Pending } from './optimistic.js';

/** How an element is marked that shows a change before it is known to have happened. */
export const waitingProps = (pending: Pending | undefined): { readonly 'data-pending'?: 'waiting' | 'refused'; readonly 'aria-busy'?: boolean } =>
  pending ? { 'data-pending': pending.phase === 'refused' ? 'refused' : 'waiting', 'aria-busy': pending.phase !== 'refused' } : {};

/** Says that a change was refused, and takes it back. */
export function Refusal({ pending, onUndo }: { readonly pending: Pending | undefined; readonly onUndo: (correlationId: string) => void }): ReactElement | null {
  if (pending?.phase !== 'refused') return null;
  return (
    <div className="refusal" role="alert">
      <span>{pending.problem}</span>
      <button type="button" className="link" onClick={() => onUndo(pending.correlationId)}>
        Undo
      </button>
    </div>
  );
}
