/** How an element says that it is highlighted: with its background, or by its bar alone. */
const ATTRIBUTE = 'data-rt-highlight';
/** So many elements within a second, and a page would flicker. */
const MANY = 5;

interface Run {
  readonly at: number;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly bar: Animation | undefined;
  readonly fill: Animation | undefined;
}
/** Highlighted now, on the whole page. */
const running = new Map<Element, Run>();

const stop = ({ timer, bar, fill }: Run): void => {
  clearTimeout(timer);
  bar?.cancel();
  fill?.cancel();
};

/** Ends an element's highlight. */
export const unflash = (element: Element): void => {
  const run = running.get(element);
  if (!run) return;
  stop(run);
  running.delete(element);
  element.removeAttribute(ATTRIBUTE);
};

/** What the stylesheet says, in milliseconds. */
const durationOf = (element: Element): number => {
  const value = getComputedStyle(element).getPropertyValue('--rt-highlight');
  return parseFloat(value) * (/\ds/.test(value) ? 1000 : 1) || 1600;
};

/** Highlights an element, or begins anew while it is. */
export const flash = (element: HTMLElement | SVGElement, duration: number | undefined): void => {
  const at = performance.now();
  const before = running.get(element);
  const filled = before?.fill?.playState === 'running';
  if (before) stop(before);
  const lasts = duration ?? durationOf(element);
  const recent = Array.from(running).filter(([other, run]) => other !== element && at - run.at < 1000);
  const many = recent.length >= MANY - 1;
  if (many)
    recent.forEach(([other, { fill }]) => {
      fill?.cancel();
      other.setAttribute(ATTRIBUTE, 'bar');
    });
  element.setAttribute(ATTRIBUTE, many ? 'bar' : 'full');

  // By script, since an element has one `animation`, which is often the application's, and resets for reduced motion end every animation of a
  // stylesheet at once. Added, so that a card keeps its own shadow. The colours are variables of the stylesheet.
  const canAnimate = typeof element.animate === 'function';
  const shadow = 'inset var(--rt-bar) 0 var(--rt-tone)';
  const bar = canAnimate ? element.animate({ boxShadow: [shadow, shadow] }, { duration: lasts, composite: 'add' }) : undefined;
  let fill: Animation | undefined;
  if (canAnimate && !many && !matchMedia('(prefers-reduced-motion: reduce)').matches) {
    // Soon to full colour, some time of it, and back to whatever the element has.
    const rise = Math.min(120 / lasts, 0.075);
    const backgroundColor = 'var(--rt-tone-soft)';
    fill = element.animate(
      [
        { offset: rise, backgroundColor },
        { offset: 0.45, backgroundColor, easing: 'cubic-bezier(0.2, 0, 0, 1)' },
      ],
      lasts,
    );
    // Again: from the moment of full colour, back to none would flicker.
    if (filled) fill.currentTime = rise * lasts;
  }
  running.set(element, { at, bar, fill, timer: setTimeout(() => unflash(element), lasts) });
};
