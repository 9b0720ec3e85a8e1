// Three libraries that the guides name weigh more than 100 MB each. In their place stands what the examples use of them, as declared by
// aws-amplify 6.22.1, next 16.4.6, and react-native 0.88.1 with @react-native-community/netinfo 12.0.1.

declare module 'aws-amplify/auth' {
  interface JWT {
    payload: { [claim: string]: unknown; exp?: number; iat?: number; sub?: string };
    toString(): string;
  }
  interface AuthSession {
    tokens?: { idToken?: JWT; accessToken: JWT };
    userSub?: string;
  }
  export function fetchAuthSession(options?: { forceRefresh?: boolean }): Promise<AuthSession>;
  export function signOut(input?: { global?: boolean }): Promise<void>;
}

declare module 'aws-amplify/utils' {
  export const Hub: {
    listen(channel: 'auth', callback: (capsule: { payload: { event: 'signedIn' | 'signedOut' | 'tokenRefresh' | 'tokenRefresh_failure' } }) => void): () => void;
  };
}

declare module 'next/headers' {
  export function cookies(): Promise<{ get(name: string): { readonly name: string; readonly value: string } | undefined }>;
}

declare module 'next/navigation' {
  export function useRouter(): { refresh(): void };
}

declare module 'react-native' {
  export type AppStateStatus = 'active' | 'background' | 'inactive' | 'unknown' | 'extension';
  export const AppState: {
    currentState: AppStateStatus | null | undefined;
    addEventListener(type: 'change' | 'memoryWarning' | 'blur' | 'focus', listener: (state: AppStateStatus) => void): { remove(): void };
  };
  export function Text(props: { children?: import('react').ReactNode }): import('react').ReactElement;
}

declare module '@react-native-community/netinfo' {
  interface NetInfoState {
    readonly isConnected: boolean | null;
  }
  const NetInfo: { addEventListener(listener: (state: NetInfoState) => void): () => void };
  export default NetInfo;
}
