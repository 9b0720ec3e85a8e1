import type { ConnectionStatus } from '../../core/status.js';
import type { RealtimeLabels } from '../../react/context.js';
import { useLabels } from '../labels.js';

const sentence = (status: ConnectionStatus): string => {
  switch (status.state) {
    case 'connected':
      return status.stale ? 'Catching up with what was missed.' : 'Changes appear here as they happen.';
    case 'connecting':
      return 'Connecting to live updates.';
    case 'reconnecting':
      return (status.phase === 'offline' ? 'There is no network.' : 'The connection was lost.') + ' Changes appear once it is back.';
    case 'error':
      return status.error.code === 'NEVER_OPENED'
        ? 'The server could not be reached. Check the address.'
        : status.error.code === 'FORBIDDEN'
          ? 'This account may not receive live updates. Ask for access.'
          : 'The session has ended. Sign in again.';
    default:
      return status.reason === 'replaced' ? 'Live updates go on in another window.' : status.reason === 'signed-out' ? 'Nobody is signed in.' : status.reason === 'closed' ? 'Live updates are paused.' : 'Connecting to live updates.';
  }
};

/** What indicator, panel and live region say, in English. Apart from the words of the feed, which who has an indicator alone does not load. */
const indicatorWords = {
  live: 'Live',
  connecting: 'Connecting',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  signedOut: 'Signed out',
  stopped: (code) => (code === 'NEVER_OPENED' ? 'Check the address' : code === 'FORBIDDEN' ? 'Ask for access' : 'Sign in again'),
  updating: 'Updating',
  retryNow: 'Retry now',
  reconnected: 'Reconnected',
  connection: 'Connection',
  sentence,
  since: 'Since',
  latency: 'Latency',
  lastEvent: 'Last event',
  attempt: 'Attempt',
  nextTry: (seconds) => `Next try in ${seconds} s`,
  locale: 'en-GB',
} satisfies Partial<RealtimeLabels>;
export type IndicatorWords = Pick<RealtimeLabels, keyof typeof indicatorWords>;

/** {@link indicatorWords}, or the provider's. */
export const useIndicatorWords = (): IndicatorWords => useLabels<keyof IndicatorWords>(indicatorWords);
