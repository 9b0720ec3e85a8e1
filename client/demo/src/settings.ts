/** What this page was opened with, and what its user has chosen. */
import { useCallback, useState } from 'react';
import { realtimeConfig } from '@purposepath/realtime';

const query = new URLSearchParams(location.search);

/** Flag and URL, as `make demo` sets them. Without a URL, or with `?server=fake`, the page is its own server. */
export const config = realtimeConfig({
  VITE_FEATURE_REALTIME: import.meta.env.VITE_FEATURE_REALTIME as unknown,
  VITE_REALTIME_WS_URL: import.meta.env.VITE_REALTIME_WS_URL as unknown,
});
export const isFake = query.get('server') === 'fake' || !config.url;
/** `?share=tabs`: one connection for all tabs. */
export const sharesTabs = query.get('share') === 'tabs' && !isFake;

export const themes = ['system', 'light', 'dark'] as const;
export type Theme = (typeof themes)[number];
export const densities = ['comfortable', 'compact'] as const;
export type Density = (typeof densities)[number];

const read = <T extends string>(name: string, known: readonly T[], otherwise: T): T => {
  const given = query.get(name) ?? localStorage.getItem(`demo.${name}`);
  return known.find((one) => one === given) ?? otherwise;
};

/** A choice that outlives the page. The page's own address wins. */
export function useChoice<T extends string>(name: string, known: readonly T[], otherwise: T): readonly [T, (value: T) => void] {
  const [value, setValue] = useState(() => read(name, known, otherwise));
  const choose = useCallback(
    (next: T): void => {
      localStorage.setItem(`demo.${name}`, next);
      setValue(next);
    },
    [name],
  );
  return [value, choose];
}
