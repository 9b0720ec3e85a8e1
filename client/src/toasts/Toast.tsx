import { useEffect, useRef } from 'react';
import type { MouseEvent, ReactElement } from 'react';
import { toast } from 'sonner';

/** How grave it is, which is the toast's icon and that icon's colour. */
export type Tone = 'info' | 'success' | 'warning' | 'danger';

/** What a toast shows. */
export interface ToastProps {
  readonly id: string | number;
  readonly tone: Tone;
  readonly title: string;
  readonly text: string;
  readonly href?: string | undefined;
  readonly navigate?: ((href: string) => void) | undefined;
  /** The name of its close button: it stays until that is pressed. */
  readonly dismiss?: string | undefined;
}

/** Milliseconds that a toast is there to be read. */
const LIFE = 5000;
const LOOK = 250;
const MOST = 3;

const ring = 'M8 1a7 7 0 1 0 0 14A7 7 0 0 0 8 1z';
const paths: { readonly [T in Tone]: string } = {
  info: ring + 'M8 7.5v3.7M8 4.8v.2',
  success: ring + 'M5 8.3l2.1 2.1L11 6',
  warning: 'M8 .9L15.1 8 8 15.1.9 8zM8 4.8v3.7M8 11v.2',
  danger: 'M8 1.5L15 14H1zM8 6v3.8M8 11.8v.2',
};
const Icon = ({ path, className }: { readonly path: string; readonly className?: string }): ReactElement => (
  <svg className={className} viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" strokeWidth="1.5" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true">
    <path d={path} />
  </svg>
);

/** Those that leave by themselves, oldest first. */
let passing: readonly (string | number)[] = [];

/**
 * What is inside of one of sonner's toasts. sonner's list is the live region, so nothing in here is one.
 *
 * It has its own clock, since sonner's runs on while the keyboard's focus is in a toast and, before its version 2, while the page is hidden.
 */
export function Toast({ id, tone, title, text, href, navigate, dismiss }: ToastProps): ReactElement {
  const row = useRef<HTMLDivElement>(null);
  const pressed = useRef([0, 0]);
  useEffect(() => {
    if (dismiss) return;
    const list = row.current?.closest('ol');
    passing = passing.concat(id);
    passing.slice(0, -MOST).forEach((oldest) => toast.dismiss(oldest));
    passing = passing.slice(-MOST);
    let left = LIFE;
    const timer = setInterval(() => {
      if (document.visibilityState === 'hidden' || list?.contains(document.activeElement) || list?.matches(':hover')) return;
      left -= LOOK;
      if (left <= 0) toast.dismiss(id);
    }, LOOK);
    return () => {
      clearInterval(timer);
      passing = passing.filter((other) => other !== id);
    };
    // What counts on is new, and is read anew: its time begins again with its words.
  }, [id, dismiss, title, text]);

  const follow = (event: MouseEvent): void => {
    const [x, y] = pressed.current as [number, number];
    // A swipe that takes the toast away ends with a click, too; one by keyboard has no place.
    if (event.detail && Math.hypot(event.clientX - x, event.clientY - y) > 10) return event.preventDefault();
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    toast.dismiss(id);
    if (!navigate || !href) return;
    event.preventDefault();
    navigate(href);
  };
  const words = (
    <>
      <span className="rt-toast-title">{title}</span>
      {text && <span className="rt-toast-text">{text}</span>}
    </>
  );
  return (
    <div className="rt-toast-row" ref={row}>
      <Icon path={paths[tone]} className={'rt-toast-' + tone} />
      {href ? (
        <a className="rt-toast-words" href={href} draggable={false} onPointerDown={({ clientX, clientY }) => void (pressed.current = [clientX, clientY])} onClick={follow}>
          {words}
        </a>
      ) : (
        <div className="rt-toast-words">{words}</div>
      )}
      {dismiss && (
        <button type="button" className="rt-toast-close" aria-label={dismiss} onClick={() => toast.dismiss(id)}>
          <Icon path="M4 4l8 8M12 4l-8 8" />
        </button>
      )}
    </div>
  );
}
