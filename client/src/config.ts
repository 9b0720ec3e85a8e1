/** The variables that {@link realtimeConfig} reads. */
export type EnvNames =
  | 'REACT_APP_FEATURE_REALTIME'
  | 'REACT_APP_REALTIME_WS_URL'
  | 'VITE_FEATURE_REALTIME'
  | 'VITE_REALTIME_WS_URL'
  | 'NEXT_PUBLIC_FEATURE_REALTIME'
  | 'NEXT_PUBLIC_REALTIME_WS_URL';

/** Whether realtime is on, and where its server is. */
export interface RealtimeConfig {
  readonly enabled: boolean;
  /** Empty when there is none. */
  readonly url: string;
  /** Why it is off although the flag says on. */
  readonly problem?: string;
}

/**
 * Reads flag and URL from what it is handed, and nothing else: bundlers put values in the place of literal expressions only.
 *
 * It is on when the flag is `true`, `1` or `on`, in any case, and the URL begins with `ws://` or `wss://`. When the URL is not fit, `problem` says so.
 *
 * @example
 * ```ts
 * const { enabled, url, problem } = realtimeConfig({
 *   REACT_APP_FEATURE_REALTIME: process.env.REACT_APP_FEATURE_REALTIME,
 *   REACT_APP_REALTIME_WS_URL: process.env.REACT_APP_REALTIME_WS_URL,
 * });
 * ```
 */
export function realtimeConfig(env: { readonly [K in EnvNames]?: unknown }): RealtimeConfig {
  const read = (name: 'FEATURE_REALTIME' | 'REALTIME_WS_URL'): string => {
    const value = env[`REACT_APP_${name}`] ?? env[`VITE_${name}`] ?? env[`NEXT_PUBLIC_${name}`];
    return value === undefined || value === null ? '' : String(value).trim();
  };
  const url = read('REALTIME_WS_URL');
  if (!/^(true|1|on)$/i.test(read('FEATURE_REALTIME'))) return { enabled: false, url };
  if (/^wss?:\/\/[^/]/.test(url)) return { enabled: true, url };
  return { enabled: false, url, problem: url ? `The URL of realtime must begin with ws:// or wss://: ${url}` : 'The flag of realtime is on, and its URL is missing' };
}
