import { useEffect, useMemo, useState } from 'react';
import { useIsBrowser } from '../../react/now.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** How times are written. */
export interface TimeFormat {
  /** "just now", "2 min ago", "3 days ago", after a week the date. */
  relative(time: number, now: number): string;
  /** Date and time of day. */
  absolute(time: number): string;
  /** Time of day. */
  clock(time: number): string;
}

const formatOf = (locale: string, justNow: string): TimeFormat => {
  const relative = new Intl.RelativeTimeFormat(locale, { numeric: 'always', style: 'short' });
  const date = new Intl.DateTimeFormat(locale, { dateStyle: 'medium' });
  const absolute = new Intl.DateTimeFormat(locale, { dateStyle: 'medium', timeStyle: 'short' });
  const clock = new Intl.DateTimeFormat(locale, { timeStyle: 'short' });
  return {
    relative(time, now) {
      const age = now - time;
      // Also what a clock that goes wrong puts into the future.
      if (age < MINUTE) return justNow;
      if (age < HOUR) return relative.format(-Math.floor(age / MINUTE), 'minute');
      if (age < DAY) return relative.format(-Math.floor(age / HOUR), 'hour');
      return age < 7 * DAY ? relative.format(-Math.floor(age / DAY), 'day') : date.format(time);
    },
    absolute: (time) => absolute.format(time),
    clock: (time) => clock.format(time),
  };
};

/** {@link TimeFormat} in a language. */
export const useTimeFormat = (locale: string, justNow: string): TimeFormat => useMemo(() => formatOf(locale, justNow), [locale, justNow]);

/** Milliseconds until a time reads otherwise. */
const untilOther = (age: number): number => {
  const unit = age < HOUR ? MINUTE : age < DAY ? HOUR : DAY;
  return unit - (Math.max(0, age) % unit);
};

/** The time, as often as one of `times` reads otherwise: one timer for all, none while the page is hidden. null where {@link useIsBrowser} is false. */
export const useNow = (times: readonly number[]): number | null => {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const tick = (): void => setNow(Date.now());
    const arm = (): void => {
      clearTimeout(timer);
      if (document.hidden || !times.length) return;
      const due = now + Math.min(...times.map((time) => untilOther(now - time)));
      timer = setTimeout(tick, Math.max(0, due - Date.now()));
    };
    document.addEventListener('visibilitychange', arm);
    arm();
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', arm);
    };
  }, [times, now]);
  return useIsBrowser() ? now : null;
};
