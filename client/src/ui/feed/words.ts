import { useMemo } from 'react';
import { entityOf, isCatalogueType } from '../../generated/events.js';
import type { ActivityType, CatalogueType, RealtimeEvent } from '../../generated/events.js';
import { sentenceOf } from '../../generated/sentences.js';
import type { RealtimeLabels } from '../../react/context.js';
import { useProvided } from '../../react/useRealtime.js';
import { count } from '../../toasts/words.js';
import { useLabels } from '../labels.js';

type Names = Parameters<RealtimeLabels['event']>[1];

/** `in_progress` → "In progress" */
const word = (value: string): string => (value === 'todo' ? 'To do' : value.charAt(0).toUpperCase() + value.slice(1).replace(/_/g, ' '));

const posted: { readonly [T in ActivityType]: string } = { comment: 'commented', note: 'added a note', attachment: 'attached', decision: 'recorded a decision', review: 'added a review' };

/** What an event is in the feed of its goal, which goes without saying there. */
const activitySentence: RealtimeLabels['activity'] = (any, names) => {
  if (!isCatalogueType(any.type)) return any.type;
  const event = any as RealtimeEvent<CatalogueType>;
  const actor = names.actor || 'Someone';
  const entity = names.entity || 'an ' + entityOf(event).kind;
  switch (event.type) {
    case 'goal.activity.created': {
      const { type, title } = event.data;
      return `${actor} ${posted[type] || 'posted'}` + (type === 'comment' || !title ? '' : type === 'attachment' ? ` ${title}` : `: ${title}`);
    }
    case 'action.status_changed':
    case 'issue.status_changed':
      return `${actor} moved ${entity} to ${word(event.data.newStatus)}`;
    case 'action.priority_changed':
      return `${actor} changed the priority of ${entity} from ${word(event.data.previousPriority)} to ${word(event.data.newPriority)}`;
    default:
      return sentenceOf(event, names);
  }
};

const repeated: { readonly [T in CatalogueType]?: string } = {
  'action.created': 'created {n} actions',
  'action.completed': 'completed {n} actions',
  'action.status_changed': 'made {n} changes of status',
  'action.priority_changed': 'made {n} changes of priority',
  'action.reassigned': 'reassigned actions {n} times',
  'issue.created': 'reported {n} issues',
  'issue.status_changed': 'made {n} changes of status',
  'measure.reading_created': 'recorded {n} readings',
};

/** What several events alike are together, newest first. */
const groupSentence = (events: readonly RealtimeEvent[], names: Names): string => {
  const newest = events[0] as RealtimeEvent;
  const oldest = events[events.length - 1] as RealtimeEvent;
  const n = String(events.length);
  const what =
    newest.type === 'action.progress_updated' && oldest.type === newest.type
      ? `updated progress ${n} times: ${oldest.data.previousProgress}\u00a0% → ${newest.data.newProgress}\u00a0%`
      : (repeated[newest.type as CatalogueType] || 'made {n} changes').replace('{n}', n);
  return `${names.actor || 'Someone'} ${what}`;
};

/** What a feed says, in English. */
const feedWords = {
  newItems: (n) => count(n, '1 new update', 'new updates'),
  missed: (n) => `Missed while you were away · ${n}`,
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
} satisfies Partial<RealtimeLabels>;
export type FeedWords = Pick<RealtimeLabels, keyof typeof feedWords>;

/** The words of a feed. Who has translated events has translated those of a feed, too. */
export const useFeedWords = (): FeedWords => {
  const { labels } = useProvided();
  const words = useLabels<keyof FeedWords>(feedWords);
  const activity = labels && !labels.activity && labels.event;
  return useMemo(() => (activity ? { ...words, activity } : words), [words, activity]);
};
