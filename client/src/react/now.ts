import { useEffect, useState, useSyncExternalStore } from 'react';

const nothing = (): (() => void) => () => {};

/** false on a server, and in the browser until the first render has agreed with the server's. */
export const useIsBrowser = (): boolean =>
  useSyncExternalStore(
    nothing,
    () => true,
    () => false,
  );

/** The time, once a second. */
export const useSeconds = (): number => {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
};
