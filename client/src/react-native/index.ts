import type { PagePort } from '../core/options.js';

/** What is used of React Native's AppState. */
export interface AppStateLike {
  readonly currentState: string | null | undefined;
  addEventListener(type: 'change', listener: (state: string) => void): { remove(): void };
}

/** What is used of `@react-native-community/netinfo`. */
export interface NetInfoLike {
  addEventListener(listener: (state: { readonly isConnected: boolean | null }) => void): () => void;
}

/**
 * The page of a React Native application: its state for visibility, NetInfo for the network.
 *
 * Without NetInfo a lost network is found by the keep-alive, or when the application comes to the front.
 *
 * @example
 * ```ts
 * import { AppState } from 'react-native';
 * import NetInfo from '@react-native-community/netinfo';
 * const client = createRealtimeClient({ url, getToken, ports: { page: nativePage({ AppState, NetInfo }) } });
 * ```
 */
export function nativePage({ AppState, NetInfo }: { readonly AppState: AppStateLike; readonly NetInfo?: NetInfoLike | undefined }): PagePort {
  return {
    isVisible: () => AppState.currentState === 'active',
    subscribe(listener) {
      // `inactive` comes and goes with every dialogue of the system: only a change counts.
      let visible = AppState.currentState === 'active';
      let online: boolean | undefined;
      const subscription = AppState.addEventListener('change', (state) => {
        if (state === 'inactive' || (state === 'active') === visible) return;
        visible = state === 'active';
        listener(visible ? 'visible' : 'hidden');
      });
      const leave = NetInfo?.addEventListener(({ isConnected }) => {
        // NetInfo calls at once with what is; null = not known yet.
        if (isConnected === null || isConnected === online) return;
        if (online !== undefined || !isConnected) listener(isConnected ? 'online' : 'offline');
        online = isConnected;
      });
      return () => {
        subscription.remove();
        leave?.();
      };
    },
  };
}
