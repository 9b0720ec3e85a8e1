import * as React from 'react';
import type { ReactElement, ReactNode } from 'react';
import type { RealtimeOptions } from '../core/options.js';
import { RealtimeProvider } from '../react/RealtimeProvider.js';
import { createFakeServer, createTestClient } from './fake-server.js';
import type { FakeServer } from './fake-server.js';

/** Props of {@link MockRealtimeProvider}. */
export interface MockRealtimeProviderProps {
  children?: ReactNode;
  /**
   * The server to steer it with.
   *
   * @defaultValue one of its own
   */
  server?: FakeServer | undefined;
  /**
   * What the components shall see.
   *
   * @defaultValue 'connected'
   */
  state?: 'connected' | 'reconnecting' | 'disconnected' | 'error' | undefined;
  /** Options of the client, as of the first render. */
  options?: Partial<RealtimeOptions> | undefined;
}

type Act = (run: () => unknown) => unknown;
const { act = (React as { unstable_act?: Act }).unstable_act } = React as { act?: Act; unstable_act?: Act };

/** What the server does to components counts as done when it returns: React's tests want that said. */
const acting = (run: () => unknown): unknown => {
  if (!act || !(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT) return run();
  let result: unknown;
  const done = act(() => {
    result = run();
    // Only what takes time makes act wait.
    return result instanceof Promise ? result : undefined;
  });
  return result instanceof Promise ? Promise.resolve(done as PromiseLike<unknown>) : result;
};
/** What was wrapped, as it was. */
const originals = new WeakMap<object, object>();
const wrap = <T extends object>(target: T, names: readonly (keyof T)[]): void => {
  if (originals.has(target)) return;
  originals.set(target, { ...target });
  for (const name of names) {
    const original = target[name] as unknown as (...args: unknown[]) => unknown;
    target[name] = ((...args: unknown[]) => acting(() => original(...args))) as unknown as T[typeof name];
  }
};

/**
 * A provider on a fake server, connected when render() returns. What the server does afterwards is wrapped in act().
 *
 * @example
 * ```tsx
 * const server = createFakeServer();
 * render(<MockRealtimeProvider server={server}><GoalList /></MockRealtimeProvider>);
 * server.emit('goal.created', { title: 'Ship' });
 * screen.getByText('Ship');
 * ```
 */
export function MockRealtimeProvider({ children, server: given, state = 'connected', options }: MockRealtimeProviderProps): ReactElement | null {
  const [server] = React.useState(() => given || createFakeServer());
  const [client] = React.useState(() => {
    wrap(server, ['emit', 'drop', 'halfOpen', 'gap', 'expireToken', 'gatewayError', 'sleep', 'page']);
    wrap(server.clock, ['advance']);
    if (state === 'error') server.reject('FORBIDDEN', { reason: 'upgrade' });
    return createTestClient(server, options);
  });
  // After the provider's own effect, which connects.
  React.useEffect(() => {
    if (state === 'disconnected') client.disconnect();
    // Within the act() of render(), where another one would not be waited for.
    if (state === 'reconnecting') (originals.get(server) as FakeServer).drop();
  }, [client, server, state]);
  return React.createElement(RealtimeProvider, { client }, children);
}
