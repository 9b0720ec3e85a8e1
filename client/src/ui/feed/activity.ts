import { actorOf, entityOf, isCatalogueType } from '../../generated/events.js';
import type { RealtimeEvent } from '../../generated/events.js';
import type { Provided } from '../../react/context.js';
import type { FeedWords } from './words.js';

/** One entry of an activity feed. */
export interface ActivityItem {
  /** The event's id, or the application's own, such as the activityId of a comment: the event about it is then the same entry. */
  readonly id: string;
  /** The event's type, or any other word. */
  readonly type: string;
  /** When it happened, RFC 3339. */
  readonly at: string;
  readonly actorId?: string | undefined;
  /**
   * Who did it.
   *
   * @defaultValue what the provider's resolveUser says
   */
  readonly actorName?: string | undefined;
  /** One sentence: "Ana Berg moved Review Q4 pipeline to In progress". What stands between U+2068 and U+2069 is shown as a name. */
  readonly title: string;
  /** What was written: a comment, a reason, a note. */
  readonly body?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  /** Where it comes from an event. */
  readonly event?: RealtimeEvent | undefined;
}

/** A part of a sentence. */
export interface SentencePart {
  readonly text: string;
  /** Of a person or an entity: shown in bold. */
  readonly isName: boolean;
  /** Where the entity is found, by the provider's resolveEntity. */
  readonly href?: string | undefined;
}

/** An entry as it is shown: with the names of the provider, and its sentence in parts. */
export interface ShownActivity extends ActivityItem {
  /** `at` in milliseconds since 1970; 0 where it is no time. */
  readonly time: number;
  readonly sentence: readonly SentencePart[];
  readonly avatarUrl?: string | undefined;
}

// FIRST STRONG ISOLATE and POP DIRECTIONAL ISOLATE: what Unicode has for names within a text. A translation hands them on with the name, wherever
// it puts it, so that nothing has to be searched for afterwards; and as text they keep a Hebrew name from turning an English sentence about.
const OPEN = '\u2068';
const CLOSE = '\u2069';
const marks = /[\u2068\u2069]/g;
const isolate = (name: string | undefined): string | undefined => (name ? OPEN + name.replace(marks, '') + CLOSE : undefined);

/** What goes on with a word: "An" does not begin "Another". */
const inWord = /^[\p{L}\p{M}\p{N}]/u;

/** A sentence in parts. One that begins with the actor's name needs no marks for it. */
export const partsOf = (sentence: string, actor?: string, entity?: { readonly name: string | undefined; readonly href: string | undefined }): readonly SentencePart[] => {
  const marked = actor && sentence.indexOf(actor) === 0 && !inWord.test(sentence.slice(actor.length)) ? OPEN + actor + CLOSE + sentence.slice(actor.length) : sentence;
  return marked
    .split(/(\u2068[^\u2068\u2069]*\u2069)/)
    .map((part, i) => {
      const text = part.replace(marks, '');
      return { text, isName: i % 2 === 1, href: i % 2 === 1 && entity && entity.name === text ? entity.href : undefined };
    })
    .filter(({ text }) => text);
};

/** What people call the two that an event is about: by the provider, else by the event. */
const namesOf = (event: RealtimeEvent, { resolveUser, resolveEntity }: Pick<Provided, 'resolveUser' | 'resolveEntity'>) => {
  if (!isCatalogueType(event.type)) return {};
  const data = event.data as object as Readonly<Record<string, string | undefined>>;
  const ref = entityOf(event);
  const user = resolveUser?.(actorOf(event) as string);
  const entity = ref && resolveEntity?.(ref);
  const isGoal = ref && ref.kind === 'goal';
  return {
    actor: user?.name || data.actorName,
    avatarUrl: user?.avatarUrl,
    // The title of a comment is not that of its goal.
    entity: entity?.title || (event.type !== 'goal.activity.created' && data.title) || (isGoal ? data.goalTitle : undefined),
    // The feed stands on the goal's own page.
    href: isGoal ? undefined : entity?.href,
  };
};

const bodyOf = ({ data }: RealtimeEvent): string | undefined => {
  const { content, description, reason, finalNotes, outcome, note } = data as object as Readonly<Record<string, string | undefined>>;
  return content || description || reason || finalNotes || outcome || note || undefined;
};

/** What is said about one activity or several alike, newest first. */
export interface Describe {
  (source: ActivitySource): ShownActivity;
  group(items: readonly ShownActivity[]): readonly SentencePart[];
}

/** What an activity is made from: an event, an entry of the application, or both. */
export interface ActivitySource {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly time: number;
  readonly event?: RealtimeEvent | undefined;
  readonly item?: ActivityItem | undefined;
}

/** Makes the function that puts activities into words. The same source gives the same object. */
export const describer = (labels: Pick<FeedWords, 'activity' | 'group'>, provided: Pick<Provided, 'resolveUser' | 'resolveEntity'>): Describe => {
  const known = new WeakMap<ActivitySource, ShownActivity>();
  const say = (event: RealtimeEvent, sentence: (names: { actor: string | undefined; entity: string | undefined }) => string): readonly SentencePart[] => {
    const { actor, entity, href } = namesOf(event, provided);
    return partsOf(sentence({ actor: isolate(actor), entity: isolate(entity) }), undefined, { name: entity, href });
  };
  const shown = ({ id, time, event, item }: ActivitySource): ShownActivity => {
    if (item) {
      const user = item.actorId === undefined ? undefined : provided.resolveUser?.(item.actorId);
      const actorName = item.actorName || user?.name;
      return { ...item, time, actorName, avatarUrl: user?.avatarUrl, title: item.title.replace(marks, ''), sentence: partsOf(item.title, actorName) };
    }
    const { type, timestamp, data } = event as RealtimeEvent;
    const { actor, avatarUrl } = namesOf(event as RealtimeEvent, provided);
    const sentence = say(event as RealtimeEvent, (names) => labels.activity(event as RealtimeEvent, names));
    return {
      id,
      type,
      at: timestamp,
      time,
      actorId: actorOf(event as RealtimeEvent),
      actorName: actor,
      avatarUrl,
      title: sentence.map(({ text }) => text).join(''),
      sentence,
      body: bodyOf(event as RealtimeEvent),
      tags: (data as { readonly tags?: readonly string[] }).tags,
      event,
    };
  };
  const describe = (source: ActivitySource): ShownActivity => {
    let activity = known.get(source);
    if (!activity) known.set(source, (activity = shown(source)));
    return activity;
  };
  describe.group = (items: readonly ShownActivity[]) => {
    const events = items.map(({ event }) => event as RealtimeEvent);
    return say(events[0] as RealtimeEvent, (names) => labels.group(events, names));
  };
  return describe;
};
