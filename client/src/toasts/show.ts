import { createElement } from 'react';
import { toast } from 'sonner';
import { actorOf, entityOf } from '../generated/events.js';
import type { CatalogueType, RealtimeEvent } from '../generated/events.js';
import type { Provided, RealtimeLabels } from '../react/context.js';
import { Toast } from './Toast.js';
import type { Tone } from './Toast.js';
import { toastWords } from './words.js';

/** What a toast says, and where a click on it goes. */
export interface ToastWords {
  /**
   * Words, where they are not English.
   *
   * @defaultValue the provider's in {@link useRealtimeToasts}, else English
   */
  readonly labels?: Partial<RealtimeLabels> | undefined;
  /**
   * Names of users that the application knows better than the event.
   *
   * @defaultValue the provider's in {@link useRealtimeToasts}, else the event's
   */
  readonly resolveUser?: Provided['resolveUser'];
  /**
   * Titles of entities, and where they are shown: with an `href` the toast is a link. Without a title the event's own counts.
   *
   * @defaultValue the provider's in {@link useRealtimeToasts}, else the event's title and no link
   */
  readonly resolveEntity?: Provided['resolveEntity'];
  /**
   * Goes to an `href` without loading the page anew, such as a router's function. A click that opens a new tab is left to the browser.
   *
   * @defaultValue the browser follows the link
   *
   * @example
   * ```tsx
   * const navigate = useNavigate();
   * useRealtimeToasts({ navigate });
   * ```
   */
  readonly navigate?: ((href: string) => void) | undefined;
}

export type ToastId = string | number;
type CatalogueEvent = RealtimeEvent<CatalogueType>;

export const isCritical = (event: CatalogueEvent): boolean => event.type === 'issue.created' && event.data.severity === 'critical';

const toneOf = (event: CatalogueEvent): Tone => {
  const { type } = event;
  if (type === 'goal.completed' || type === 'action.completed') return 'success';
  if (isCritical(event)) return 'danger';
  return type === 'goal.cancelled' || type === 'goal.paused' || (type === 'issue.created' && event.data.severity === 'high') ? 'warning' : 'info';
};

interface Content {
  readonly tone: Tone;
  readonly title: string;
  readonly text: string;
  readonly href?: string | undefined;
}
const wordsOf = ({ labels }: ToastWords): typeof toastWords => ({ ...toastWords, ...labels });

const open = (content: Content, words: ToastWords, stays: boolean, known?: ToastId): ToastId =>
  toast.custom((id) => createElement(Toast, { ...content, id, navigate: words.navigate, dismiss: stays ? wordsOf(words).dismiss : undefined }), {
    className: 'rt-toast',
    duration: Infinity,
    ...(known !== undefined && { id: known }),
  });

/** Shows one event, and returns the toast's id. Never an id of the event: someone without a name is left out. */
export const showEvent = (event: CatalogueEvent, words: ToastWords): ToastId => {
  const { resolveUser, resolveEntity } = words;
  const { toastTitle, toastActor } = wordsOf(words);
  const about = entityOf(event);
  const { title, goalTitle, actorName } = event.data as { readonly title?: string; readonly goalTitle?: string; readonly actorName?: string };
  const entity = resolveEntity?.(about);
  const actor = resolveUser?.(actorOf(event))?.name || actorName;
  return open(
    {
      tone: toneOf(event),
      title: toastTitle(event),
      // The title of an activity is not its goal's.
      text: [entity?.title || (about.kind === 'goal' && goalTitle) || title, actor && toastActor(actor)].filter(Boolean).join(' · '),
      href: entity?.href,
    },
    words,
    isCritical(event),
  );
};

/** Takes a toast away. Not at once: sonner 1 shows one only with its next task, and would not find it before. */
export const dismiss = (id: ToastId): void => void setTimeout(() => toast.dismiss(id), 0);

/** Shows, or counts on in, one toast for several events. */
export const showSummary = (count: number, critical: number, away: boolean, words: ToastWords, id?: ToastId): ToastId => {
  const { toastSummary, toastCritical } = wordsOf(words);
  return open({ tone: critical ? 'danger' : 'info', title: toastSummary(count, away), text: critical ? toastCritical(critical) : '' }, words, critical > 0, id);
};
