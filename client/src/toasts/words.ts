import { isCatalogueType } from '../generated/events.js';
import type { CatalogueType, RealtimeEvent } from '../generated/events.js';
import { titleOf } from '../generated/sentences.js';
import type { RealtimeLabels } from '../react/context.js';

/** So many of something, in English. */
export const count = (n: number, one: string, several: string): string => (n === 1 ? one : `${n} ${several}`);

/** The words of toasts in English: apart from those of the components, which who has toasts alone does not load. */
export const toastWords: Pick<RealtimeLabels, 'toastTitle' | 'toastActor' | 'toastSummary' | 'toastCritical' | 'dismiss'> = {
  toastTitle: (event) => (isCatalogueType(event.type) ? titleOf(event as RealtimeEvent<CatalogueType>) : event.type),
  toastActor: (name) => `by ${name}`,
  toastSummary: (n, away) => count(n, '1 update', 'updates') + (away ? ' while you were away' : ''),
  toastCritical: (n) => count(n, '1 critical issue', 'critical issues'),
  dismiss: 'Dismiss',
};
