/** Where the reader is: what a feed has to know of scrolling. */

/** The element within which another one scrolls; null = the page. */
const scrollerOf = (element: Element): Element | null => {
  for (let at = element.parentElement; at && at !== document.body && at !== document.documentElement; at = at.parentElement)
    if (at.scrollHeight > at.clientHeight && /auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
  return null;
};

/** Whether an element is in something that scrolls within the page. */
export const isInScroller = (element: Element): boolean => scrollerOf(element) !== null;

/** Pixels that a header of the application covers at the top: it says so by the scroll margin. */
const coverOf = (element: Element): number => parseFloat(getComputedStyle(element).scrollMarginTop) || 0;

/** Pixels within which the reader is still at the top: a finger is not that exact. */
const NEAR = 8;

/** Whether an element has been scrolled out at the top. */
export const isAbove = (element: Element): boolean => {
  const scroller = scrollerOf(element);
  return element.getBoundingClientRect().bottom < Math.max(0, scroller ? scroller.getBoundingClientRect().top : 0) + coverOf(element) - NEAR;
};

/** Scrolls to an element at the start of what scrolls. */
export const scrollBackTo = (element: Element): void =>
  element.scrollIntoView({ block: 'nearest', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });

/** Calls `onReturn` when an element that was scrolled out comes into view again. Returns how to end it. */
export const watchReturn = (element: Element, onReturn: () => void): (() => void) => {
  const observer = new IntersectionObserver(
    (entries) => {
      if (entries.some(({ isIntersecting }) => isIntersecting)) onReturn();
    },
    { rootMargin: `${NEAR - coverOf(element)}px 0px 0px` },
  );
  observer.observe(element);
  return () => observer.disconnect();
};
