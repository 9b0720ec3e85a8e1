import { useEffect, useId, useRef, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { Icon } from '../icons.js';
import { Panel } from './Panel.js';
import { useRealtimeIndicator } from './useRealtimeIndicator.js';
import type { RealtimeIndicatorView } from './useRealtimeIndicator.js';
import { useIndicatorWords } from './words.js';

/** Props of {@link RealtimeIndicator}. */
export interface RealtimeIndicatorProps {
  className?: string | undefined;
  /**
   * A button instead of plain text, which opens a panel: since when, how fast, when the next try is, and a button to try now.
   *
   * @defaultValue false
   */
  showDetails?: boolean | undefined;
  /**
   * Where it stands: in a header its panel opens downwards, in a footer upwards.
   *
   * @defaultValue 'header'
   */
  position?: 'header' | 'footer' | undefined;
  /**
   * Milliseconds before a lost connection shows. One that is back by then was never gone.
   *
   * @defaultValue 2000
   */
  graceMs?: number | undefined;
}

const icons = { live: 'disc', connecting: 'arrow', reconnecting: 'arrow', offline: 'struck', stopped: 'triangle', off: 'struck' } as const;

const Pill = ({ view, className, showDetails, position = 'header' }: RealtimeIndicatorProps & { view: RealtimeIndicatorView }): ReactElement => {
  const { state, stale, trying, label } = view;
  const { connection } = useIndicatorWords();
  const id = useId();
  const root = useRef<HTMLSpanElement>(null);
  const button = useRef<HTMLButtonElement>(null);
  const [open, setOpen] = useState(false);
  // A connection that is made in a moment doesn't show how: what mounts while it is being made appears a little later.
  const [late] = useState(state === 'connecting');

  useEffect(() => {
    if (!open) return undefined;
    const outside = (event: Event): void => {
      if (root.current && event.composedPath().indexOf(root.current) < 0) setOpen(false);
    };
    const escape = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented) return;
      event.preventDefault();
      setOpen(false);
      if (button.current) button.current.focus();
    };
    document.addEventListener('pointerdown', outside);
    document.addEventListener('focusin', outside);
    document.addEventListener('keydown', escape);
    return () => {
      document.removeEventListener('pointerdown', outside);
      document.removeEventListener('focusin', outside);
      document.removeEventListener('keydown', escape);
    };
  }, [open]);

  const pill = { className: 'rt-pill', 'data-state': state, 'data-stale': stale || undefined, 'data-busy': trying || stale || undefined, 'data-late': late || undefined };
  const content: ReactNode = (
    <>
      <Icon shape={stale ? 'arrow' : icons[state]} />
      <span className="rt-pill-label">{label}</span>
    </>
  );
  return (
    <span ref={root} className={'rt-indicator' + (className ? ' ' + className : '')}>
      {showDetails ? (
        <button {...pill} ref={button} type="button" aria-label={`${connection}: ${label}`} aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
          {content}
        </button>
      ) : (
        <span {...pill}>{content}</span>
      )}
      {showDetails && open && <Panel id={id} view={view} button={button} position={position} />}
    </span>
  );
};

/**
 * State of the connection as a pill. Quiet while it is well: short losses don't show. Changes are announced to screen readers, once however many there are on the page. Renders nothing while the flag is off.
 *
 * @example
 * ```tsx
 * <header><RealtimeIndicator showDetails /></header>
 * ```
 */
export function RealtimeIndicator(props: RealtimeIndicatorProps): ReactElement | null {
  const view = useRealtimeIndicator({ graceMs: props.graceMs });
  return view.state === 'off' ? null : <Pill {...props} view={view} />;
}
