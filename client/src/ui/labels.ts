import { useMemo } from 'react';
import type { RealtimeLabels } from '../react/context.js';
import { useProvided } from '../react/useRealtime.js';

/** The words of the provider, and the English ones of a component for those it lacks. The same object until the provider's change; `english` must be a constant. */
export const useLabels = <N extends keyof RealtimeLabels>(english: Pick<RealtimeLabels, N>): Pick<RealtimeLabels, N> => {
  const { labels } = useProvided();
  return useMemo(() => ({ ...english, ...labels }), [english, labels]);
};
