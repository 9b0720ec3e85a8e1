/** Milliseconds in which a page that is seen has had a frame. */
const LATE = 100;

/**
 * Calls `run` in the next animation frame, or by a timer where none comes because nobody sees the page: also when it was hidden after the frame was asked for. With `wait`, by a timer of so many milliseconds.
 *
 * Returns how to cancel it; `run` has to do so, too, or it may be called by both.
 */
export const onNextFrame = (run: () => void, wait?: number): (() => void) => {
  const timer = setTimeout(run, wait ?? LATE);
  const frame = wait === undefined && typeof requestAnimationFrame === 'function' ? requestAnimationFrame(run) : undefined;
  return () => {
    clearTimeout(timer);
    if (frame !== undefined) cancelAnimationFrame(frame);
  };
};
