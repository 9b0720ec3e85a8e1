import { useMemo } from 'react';
import { isCatalogueType } from '../generated/events.js';
import type { CatalogueType, RealtimeEvent } from '../generated/events.js';
import { sentenceOf } from '../generated/sentences.js';
import type { RealtimeLabels } from '../react/context.js';
import { useProvided } from '../react/useRealtime.js';

const count = (n: number, one: string, several: string): string => (n === 1 ? one : `${n} ${several}`);

/** The words in English. */
export const english: RealtimeLabels = {
  live: 'Live',
  connecting: 'Connecting',
  reconnecting: 'Reconnecting',
  offline: 'Offline',
  stopped: (code) => (code === 'NEVER_OPENED' ? 'Check the address' : code === 'FORBIDDEN' ? 'Ask for access' : 'Sign in again'),
  retryNow: 'Retry now',
  newItems: (n) => count(n, '1 new update', 'new updates'),
  missed: (n) => `Missed while you were away · ${n}`,
  event: (event, names) => (isCatalogueType(event.type) ? sentenceOf(event as RealtimeEvent<CatalogueType>, names) : event.type),
};

/** The words of the provider, and English for the others. The same object until the provider's change. */
export const useLabels = (): RealtimeLabels => {
  const { labels } = useProvided();
  return useMemo(() => ({ ...english, ...labels }), [labels]);
};
