// Outside React: identity providers, a Redux store, sessions, and the echo of an optimistic update.
import { createRealtimeClient, FatalTokenError, shareTabs } from '@purposepath/realtime';
import type { GetToken } from '@purposepath/realtime';
import { invalidateOnEvents, rule } from '@purposepath/realtime/query';

declare function fetchAuthSession(options: { forceRefresh: boolean }): Promise<{ tokens?: { idToken?: { toString(): string } } }>;
declare const auth0: { getTokenSilently(options: { cacheMode: 'on' | 'off'; authorizationParams: { audience: string } }): Promise<string> };
declare const store: { dispatch(action: unknown): void };
declare const api: { util: { invalidateTags(tags: readonly ('Goal' | 'Issue')[]): unknown; resetApiState(): unknown } };
declare const pending: Set<string>;
declare function show(goalId: string): void;

/** Cognito, aws-amplify 6: forceRefresh only when asked to, or every connection mints tokens. */
export const cognito: GetToken = async ({ reason }) => {
  const session = await fetchAuthSession({ forceRefresh: reason !== 'connect' });
  return session.tokens?.idToken?.toString() ?? null;
};

/** Auth0's SDK for single-page applications. */
export const auth0Token: GetToken = async ({ reason }) => {
  try {
    return await auth0.getTokenSilently({ cacheMode: reason === 'connect' ? 'on' : 'off', authorizationParams: { audience: 'https://realtime' } });
  } catch (cause) {
    const { error } = cause as { error?: string };
    if (error === 'login_required') return null;
    if (error === 'consent_required') throw new FatalTokenError('consent');
    throw cause;
  }
};

export function start() {
  const client = createRealtimeClient({ url: 'wss://x', getToken: cognito, sessionKey: null, share: shareTabs, onResync: () => store.dispatch(api.util.resetApiState()) });
  const stop = invalidateOnEvents<'Goal' | 'Issue'>(client, {
    rules: [rule('goal.*', () => ['Goal'] as const), rule('issue.*', () => ['Issue'] as const)],
    invalidate: (tags) => store.dispatch(api.util.invalidateTags(tags)),
  });
  // The echo carries the id that the REST call sent.
  client.subscribe('goal.completed', (event, meta) => {
    if (event.correlationId && pending.delete(event.correlationId)) return;
    if (!meta.own) show(event.data.goalId);
  });
  return {
    stop,
    login(user: { tenantId: string; id: string }) {
      client.setSession(`${user.tenantId}/${user.id}`);
      void client.connect();
    },
    switchTenant: (tenantId: string, userId: string) => client.setSession(`${tenantId}/${userId}`),
    logout: () => client.setSession(null),
  };
}
