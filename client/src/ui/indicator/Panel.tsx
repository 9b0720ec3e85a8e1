import { useCallback, useLayoutEffect, useRef } from 'react';
import type { ReactElement, RefObject } from 'react';
import { useSeconds } from '../../react/now.js';
import { useClient } from '../../react/useRealtime.js';
import type { RealtimeIndicatorView } from './useRealtimeIndicator.js';
import { useIndicatorWords } from './words.js';

/** Pixels that stay free between the panel, its button and the edges of the window. */
const GAP = 8;

/** A time of today as hours and minutes; of another day with its date. */
const timeOf = (at: number, now: number, locale: string): string =>
  new Date(at).toLocaleString(locale, { hour: '2-digit', minute: '2-digit', ...(new Date(at).toDateString() !== new Date(now).toDateString() && { day: 'numeric', month: 'short' }) });

/** Puts the panel above or below its button: its end at the button's, or its start where the window is too narrow for that. On small screens the stylesheet makes it a sheet at the bottom. */
const place = (panel: HTMLElement, button: HTMLElement, position: 'header' | 'footer'): void => {
  const { left, right, top, bottom } = button.getBoundingClientRect();
  const { clientWidth, clientHeight } = document.documentElement;
  const width = panel.offsetWidth;
  const toTheRight = getComputedStyle(button).direction === 'rtl' ? left + width < clientWidth - GAP : right - width < GAP;
  const set = (name: string, pixels: number | false): void => panel.style.setProperty(name, pixels === false ? 'auto' : `${pixels}px`);
  set('--rt-left', toTheRight ? left : right - width);
  set('--rt-top', position === 'header' && bottom + GAP);
  set('--rt-bottom', position === 'footer' && clientHeight - top + GAP);
};

interface PanelProps {
  readonly id: string;
  readonly view: RealtimeIndicatorView;
  readonly button: RefObject<HTMLButtonElement | null>;
  readonly position: 'header' | 'footer';
}

/** What the indicator opens. It reads the client's figures once a second, and only while it is open. */
export const Panel = ({ id, view, button, position }: PanelProps): ReactElement => {
  const { sentence, since, attempt, retryAt, retryNow } = view;
  const labels = useIndicatorWords();
  const client = useClient();
  const panel = useRef<HTMLSpanElement>(null);
  const now = useSeconds();
  useLayoutEffect(() => {
    const element = panel.current;
    if (!element || !button.current) return undefined;
    const trigger = button.current;
    // In the top layer no ancestor clips it, and it is fixed to the window also where one is transformed. Old browsers leave it where it is.
    const popover = typeof element.showPopover === 'function';
    if (popover) {
      element.popover = 'manual';
      element.showPopover();
    }
    const update = (): void => place(element, trigger, position);
    update();
    addEventListener('resize', update);
    addEventListener('scroll', update, true);
    return () => {
      removeEventListener('resize', update);
      removeEventListener('scroll', update, true);
      if (popover) element.hidePopover();
    };
  }, [button, position]);

  // The button goes when the connection is there, and the focus must not go with it. A ref is let go of before its element is.
  const retried = useRef<HTMLButtonElement | null>(null);
  const retry = useCallback(
    (element: HTMLButtonElement | null) => {
      if (!element && retried.current?.matches(':focus')) button.current?.focus();
      retried.current = element;
    },
    [button],
  );

  const { latencyMs, lastEventAt } = client ? client.getStats() : { latencyMs: null, lastEventAt: null };
  const all: readonly (readonly [string, string | number | null])[] = [
    [labels.since, since && timeOf(since, now, labels.locale)],
    [labels.latency, latencyMs && `${Math.round(latencyMs.p50)} ms`],
    [labels.lastEvent, since && lastEventAt && timeOf(lastEventAt, now, labels.locale)],
    [labels.attempt, attempt],
  ];
  const rows = all.filter(([, value]) => value);
  const seconds = retryAt ? Math.ceil((retryAt - now) / 1000) : 0;
  return (
    // Phrasing content throughout: the indicator may stand in a paragraph.
    <span ref={panel} id={id} className="rt-panel" role="group" aria-label={labels.connection}>
      <span>{sentence}</span>
      {rows.length > 0 && (
        <span role="list">
          {rows.map(([name, value]) => (
            <span key={name} role="listitem">
              <span>{name}</span>
              <span dir="auto">{value}</span>
            </span>
          ))}
        </span>
      )}
      {seconds > 0 && <span aria-hidden="true">{labels.nextTry(seconds)}</span>}
      {retryNow && (
        <button ref={retry} type="button" className="rt-button" onClick={retryNow}>
          {labels.retryNow}
        </button>
      )}
    </span>
  );
};
