/** How an element is told to the stylesheet: with its background, or by its bar alone. */
const ATTRIBUTE = 'data-rt-highlight';
/** So many elements within a second, and a page would flicker. */
const MANY = 5;

/** Highlighted now, on the whole page. */
const running = new Map<Element, { readonly at: number; readonly timer: ReturnType<typeof setTimeout> }>();

/** Ends an element's highlight. */
export const unflash = (element: Element): void => {
  const run = running.get(element);
  if (!run) return;
  clearTimeout(run.timer);
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
  if (before) clearTimeout(before.timer);
  if (duration !== undefined) element.style.setProperty('--rt-highlight', `${duration}ms`);
  const lasts = duration ?? durationOf(element);
  running.set(element, { at, timer: setTimeout(() => unflash(element), lasts) });
  const recent = Array.from(running).filter(([, run]) => at - run.at < 1000);
  if (recent.length < MANY) element.setAttribute(ATTRIBUTE, 'full');
  else recent.forEach(([other]) => other.setAttribute(ATTRIBUTE, 'bar'));
  // From the moment of full colour: back to none would flicker.
  if (before && typeof element.getAnimations === 'function')
    for (const animation of element.getAnimations()) if (/^rt-/.test((animation as CSSAnimation).animationName)) animation.currentTime = 0.075 * lasts;
};
