import { memo, useEffect, useId, useRef, useState } from 'react';
import type { ReactElement, ReactNode } from 'react';
import { flash, unflash } from '../highlight/flash.js';
import type { SentencePart, ShownActivity } from './activity.js';
import { Avatar } from './Avatar.js';
import type { TimeFormat } from './time.js';
import type { ActivityRow } from './useActivityFeed.js';

/** Changes what a row shows; the article around it stays the feed's. */
export type RenderActivity = (item: ShownActivity, defaultItem: ReactNode) => ReactNode;

interface ContentProps {
  readonly id: string;
  readonly items: readonly ShownActivity[];
  readonly sentence: readonly SentencePart[];
  readonly format: TimeFormat;
  /** How long ago, in words; null = on a server, and in the browser until it agrees with the server. */
  readonly ago: string | null;
  readonly each: (count: number) => string;
  readonly renderItem: RenderActivity | undefined;
}

const Sentence = ({ parts }: { readonly parts: readonly SentencePart[] }): ReactElement => (
  <>
    {parts.map(({ text, isName, href }, i) => {
      if (!isName) return text;
      // Isolated: a name may run in the other direction than the sentence.
      const name = <bdi className="rt-feed-name">{text}</bdi>;
      return href ? (
        <a key={i} href={href}>
          {name}
        </a>
      ) : (
        <span key={i}>{name}</span>
      );
    })}
  </>
);

/** Until times may be told by the reader's clock and zone, which a server does not know: the day in UTC. */
const Time = ({ item: { at, time }, ago, format }: { readonly item: ShownActivity; readonly ago: string | null; readonly format: TimeFormat }): ReactElement => (
  <time className="rt-feed-time" dateTime={at} title={ago === null ? undefined : format.absolute(time)}>
    {ago ?? at.slice(0, 10)}
  </time>
);

const Each = ({ items, format, label }: { readonly items: readonly ShownActivity[]; readonly format: TimeFormat; readonly label: string }): ReactElement => {
  const id = useId();
  const [open, setOpen] = useState(false);
  return (
    <>
      <button type="button" className="rt-feed-each" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)}>
        {label}
      </button>
      <ol id={id} className="rt-feed-group" hidden={!open}>
        {open &&
          items.map((item) => (
            <li key={item.id}>
              <Time item={item} ago={format.clock(item.time)} format={format} />
              <div>
                <Sentence parts={item.sentence} />
              </div>
            </li>
          ))}
      </ol>
    </>
  );
};

const Content = memo(
  ({ id, items, sentence, format, ago, each, renderItem }: ContentProps): ReactNode => {
    const [item] = items as readonly [ShownActivity];
    const isGroup = items.length > 1;
    const content = (
      <>
        <Avatar name={item.actorName} url={item.avatarUrl} />
        <div className="rt-feed-main">
          <div id={id}>
            <Sentence parts={sentence} />
          </div>
          {!isGroup && item.body && (
            <div id={id + 'b'} className="rt-feed-body" dir="auto">
              {item.body}
            </div>
          )}
          {!isGroup && item.tags && item.tags.length > 0 && (
            <div className="rt-feed-tags">
              {item.tags.map((tag) => (
                <span key={tag}>{tag}</span>
              ))}
            </div>
          )}
          <Time item={item} ago={ago} format={format} />
          {isGroup && <Each items={items} format={format} label={each(items.length)} />}
        </div>
      </>
    );
    return renderItem && !isGroup ? renderItem(item, content) : content;
  },
  // The array is made anew with every change of the feed; what is in it is not.
  ({ items: a, sentence: _, ...before }, { items: b, sentence: __, ...after }) =>
    a.length === b.length && a.every((item, i) => item === b[i]) && (Object.keys(before) as (keyof typeof before)[]).every((key) => before[key] === after[key]),
);
Content.displayName = 'Content';

interface RowProps extends Omit<ContentProps, 'id' | 'items' | 'sentence'> {
  readonly row: ActivityRow;
  /** Its place, from 1. */
  readonly position: number;
  /** -1 = not known, there are older ones. */
  readonly total: number;
  /** The one that the Tab key reaches. */
  readonly isCurrent: boolean;
  readonly onFocus: (row: ActivityRow) => void;
}

/** One article of the feed. Its place among the others changes often; what is in it renders only when that changes. */
export const Row = ({ row, position, total, isCurrent, onFocus, ...rest }: RowProps): ReactElement => {
  const { items, sentence, isLive } = row;
  const [{ id: newest, body }] = items as readonly [ShownActivity];
  const id = useId();
  const article = useRef<HTMLElement>(null);
  useEffect(() => {
    if (isLive && article.current) flash(article.current, undefined);
  }, [isLive, newest]);
  useEffect(() => {
    const element = article.current;
    return () => {
      if (element) unflash(element);
    };
  }, []);
  return (
    <article
      ref={article}
      className="rt-feed-row"
      aria-posinset={position}
      aria-setsize={total}
      aria-labelledby={rest.renderItem && items.length === 1 ? undefined : id}
      aria-describedby={body && items.length === 1 && !rest.renderItem ? id + 'b' : undefined}
      tabIndex={isCurrent ? 0 : -1}
      onFocus={() => onFocus(row)}
    >
      <Content {...rest} id={id} items={items} sentence={sentence} />
    </article>
  );
};
