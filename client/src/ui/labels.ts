import { useMemo } from 'react';
import type { ConnectionStatus } from '../core/status.js';
import { isCatalogueType } from '../generated/events.js';
import type { CatalogueType, RealtimeEvent } from '../generated/events.js';
import { sentenceOf } from '../generated/sentences.js';
import type { RealtimeLabels } from '../react/context.js';
import { useProvided } from '../react/useRealtime.js';
import { count, toastWords } from '../toasts/words.js';
import { activitySentence, groupSentence } from './feed/words.js';

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

/** The words in English. */
export const english: RealtimeLabels = {
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
  newItems: (n) => count(n, '1 new update', 'new updates'),
  missed: (n) => `Missed while you were away · ${n}`,
  ...toastWords,
  activity: activitySentence,
  group: groupSentence,
  each: (n) => `${n} updates`,
  feed: 'Activity',
  feedEmpty: ['No activity yet', 'Comments and changes to this goal appear here as they happen.'],
  feedFailed: 'Activity couldn’t be loaded.',
  tryAgain: 'Try again',
  earlier: 'Show earlier',
  paused: (time) => `Updates paused. Showing what was known at ${time}.`,
  justNow: 'just now',
  locale: 'en-GB',
  event: (event, names) => (isCatalogueType(event.type) ? sentenceOf(event as RealtimeEvent<CatalogueType>, names) : event.type),
};

/** The words of the provider, and English for the others. The same object until the provider's change. */
export const useLabels = (): RealtimeLabels => {
  const { labels } = useProvided();
  return useMemo(() => {
    // Who has translated events has translated those of a feed.
    const { event: activity = english.activity } = labels || {};
    return { ...english, activity, ...labels };
  }, [labels]);
};
