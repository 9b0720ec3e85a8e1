/** How an element says that it is highlighted: with its background, or by its bar alone. */
const ATTRIBUTE = 'data-rt-highlight';
/** So many elements within a second, and a page would flicker. */
const MANY = 5;

interface Run {
  readonly at: number;
  readonly timer: ReturnType<typeof setTimeout>;
  readonly bar: Animation | undefined;
  fill?: Animation | undefined;
}
/** Highlighted now, on the whole page. */
const running = new Map<Element, Run>();

/** Ends an element's highlight. */
export const unflash = (element: Element): void => {
  const run = running.get(element);
  if (!run) return;
  clearTimeout(run.timer);
  run.bar?.cancel();
  run.fill?.cancel();
  running.delete(element);
  element.removeAttribute(ATTRIBUTE);
};

/** What the stylesheet says, in milliseconds. */
const durationOf = (element: Element): number => {
  const value = getComputedStyle(element).getPropertyValue('--rt-highlight');
  return parseFloat(value) * (/\ds/.test(value) ? 1000 : 1) || 1600;
};

/** Where there is no such thing, as in a test's DOM, nothing is drawn. */
const animate = (element: Partial<Animatable>, keyframes: Keyframe[], duration: number, composite: CompositeOperation = 'replace'): Animation | undefined => element.animate?.(keyframes, { duration, composite });

/**
 * Highlights an element, or begins anew while it is.
 *
 * By script, since an element has one `animation`, which is often the application's, and resets for reduced motion end every animation of a
 * stylesheet at once. The bar is added, so that a card keeps its own shadow. The colours are the stylesheet's.
 */
export const flash = (element: HTMLElement | SVGElement, duration: number | undefined): void => {
  const at = performance.now();
  const again = running.has(element);
  unflash(element);
  const lasts = duration ?? durationOf(element);
  const boxShadow = 'inset var(--rt-bar) 0 var(--rt-tone)';
  const run: Run = { at, timer: setTimeout(() => unflash(element), lasts), bar: animate(element, [{ boxShadow }, { boxShadow }], lasts, 'add') };
  running.set(element, run);
  element.setAttribute(ATTRIBUTE, 'full');
  const recent = Array.from(running).filter(([, other]) => at - other.at < 1000);
  if (recent.length >= MANY)
    recent.forEach(([other, { fill }]) => {
      fill?.cancel();
      other.setAttribute(ATTRIBUTE, 'bar');
    });
  else if (run.bar && !matchMedia('(prefers-reduced-motion: reduce)').matches) {
    // Soon to full colour, some time of it, and back to whatever the element has. Again it begins full: back to none would flicker.
    const offset = again ? 0 : Math.min(120 / lasts, 0.075);
    const backgroundColor = 'var(--rt-tone-soft)';
    run.fill = animate(element, [{ offset, backgroundColor }, { offset: 0.45, backgroundColor, easing: 'ease-out' }], lasts);
  }
};
