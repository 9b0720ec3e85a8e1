'use client';
// app/realtime.tsx of Next.js: getToken is a function, so the provider lives in a client file.
import type { ReactNode } from 'react';
import { realtimeConfig } from '@purposepath/realtime';
import { RealtimeProvider } from '@purposepath/realtime/react';

declare const process: { env: Record<string, string | undefined> };

export function Realtime({ user, children }: { user: { id: string; orgId: string } | null; children: ReactNode }) {
  // The literal names matter: Next inlines only `process.env.NAME`.
  const config = realtimeConfig({ NEXT_PUBLIC_FEATURE_REALTIME: process.env.NEXT_PUBLIC_FEATURE_REALTIME, NEXT_PUBLIC_REALTIME_WS_URL: process.env.NEXT_PUBLIC_REALTIME_WS_URL });
  return (
    <RealtimeProvider
      {...config}
      sessionKey={user && `${user.orgId}/${user.id}`}
      getToken={async ({ signal }) => {
        const response = await fetch('/api/realtime-token', { signal, cache: 'no-store' });
        if (response.status === 401) return null;
        return response.ok ? response.text() : Promise.reject(new Error(`token: ${response.status}`));
      }}
    >
      {children}
    </RealtimeProvider>
  );
}
