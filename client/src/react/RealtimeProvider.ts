import { createElement, useEffect, useMemo } from 'react';
import type { ReactElement, ReactNode } from 'react';
import type { RealtimeClient, RealtimeOptions } from '../core/options.js';
import { shared } from './context.js';
import type { Provided } from './context.js';
import { acquire, entryFor, entryOf } from './registry.js';

/** Props of {@link RealtimeProvider}: a client, or the options to make one. */
export type RealtimeProviderProps = {
  children?: ReactNode;
  /**
   * The feature flag. false: no socket, hooks do nothing, components render their off state.
   *
   * @defaultValue true
   */
  enabled?: boolean | undefined;
  labels?: Provided['labels'];
  /** Names of users, for sentences and feeds. */
  resolveUser?: Provided['resolveUser'];
  /** Titles and links of entities, for feeds and toasts. Without a title the event's own counts. */
  resolveEntity?: Provided['resolveEntity'];
} & ({ client: RealtimeClient } | (RealtimeOptions & { client?: undefined }));

/**
 * Connects as long as it is mounted, and gives the hooks below it their client.
 *
 * Providers with the same `url` and `sessionKey` share one connection. Another `sessionKey` ends the old session before the new one begins; callbacks such as `getToken` may be new with every render, and the newest is called. Other options count when the client is made.
 *
 * With `client` it connects that one if nobody has, and then disconnects it, too.
 *
 * @example
 * ```tsx
 * <RealtimeProvider url={url} sessionKey={user && `${user.tenantId}/${user.id}`} getToken={({ reason }) => token(reason !== 'connect')}>
 *   <App />
 * </RealtimeProvider>
 * ```
 */
export function RealtimeProvider(props: RealtimeProviderProps): ReactElement | null {
  const { enabled = true, labels, resolveUser, resolveEntity, children } = props;
  const { client: given, url, sessionKey } = props as Partial<RealtimeOptions> & { client?: RealtimeClient };
  const entry = useMemo(
    () => (!enabled ? null : given ? entryOf(given) : entryFor(props as RealtimeOptions)),
    // The other options count when the client is made.
    [enabled, given, url, sessionKey],
  );
  useEffect(() => {
    if (entry && entry.own) entry.options = props as RealtimeOptions;
  });
  useEffect(() => (entry ? acquire(entry) : undefined), [entry]);
  const client = entry && entry.client;
  const value = useMemo(() => ({ client, labels, resolveUser, resolveEntity }), [client, labels, resolveUser, resolveEntity]);
  return createElement(shared.context.Provider, { value }, children);
}
