// React Native: a page of one's own, and the one of ./react-native.
import { createRealtimeClient } from '@purposepath/realtime';
import type { PagePort } from '@purposepath/realtime';
import { RealtimeProvider, useRealtimeConnection } from '@purposepath/realtime/react';
import { nativePage } from '@purposepath/realtime/react-native';

declare const AppState: { currentState: string; addEventListener(type: 'change', listener: (state: string) => void): { remove(): void } };
declare const NetInfo: { addEventListener(listener: (state: { isConnected: boolean | null }) => void): () => void };

const page: PagePort = {
  isVisible: () => AppState.currentState === 'active',
  subscribe(tell) {
    const subscription = AppState.addEventListener('change', (state) => tell(state === 'active' ? 'visible' : 'hidden'));
    const leave = NetInfo.addEventListener(({ isConnected }) => tell(isConnected ? 'online' : 'offline'));
    return () => {
      subscription.remove();
      leave();
    };
  },
};

export const start = (own: boolean) => createRealtimeClient({ url: 'wss://x', getToken: () => null, ports: { page: own ? page : nativePage({ AppState, NetInfo }) } });

export function Root({ client }: { client: ReturnType<typeof start> }) {
  return (
    <RealtimeProvider client={client}>
      <Status />
    </RealtimeProvider>
  );
}

function Status() {
  const { status } = useRealtimeConnection();
  return <>{status.state === 'reconnecting' && status.retryAt ? 'waiting' : status.state === 'error' ? status.error.code : status.state}</>;
}
