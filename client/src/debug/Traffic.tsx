import { useState } from 'react';
import type { ReactElement } from 'react';
import { clockTime } from './details.js';
import type { Frame } from './frames.js';
import type { Line } from './recorder.js';

const Time = ({ at }: { readonly at: number }): ReactElement => <time dateTime={new Date(at).toISOString()}>{clockTime(at)}</time>;

function FrameRow({ frame }: { readonly frame: Frame }): ReactElement {
  const [open, setOpen] = useState(false);
  const { at, direction, type, size, message } = frame;
  return (
    <li>
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>
          <Time at={at} />
          <span>
            <span aria-hidden="true">{direction === 'in' ? '↓ ' : '↑ '}</span>
            <span className="rt-debug-hidden">{direction === 'in' ? 'received ' : 'sent '}</span>
            {type}
          </span>
          {size} B
        </summary>
        {open && <pre>{message === undefined ? 'Not JSON' : JSON.stringify(message, null, 2)}</pre>}
      </details>
    </li>
  );
}

/** The latest frames, newest first; a payload is shown where its frame is opened. */
export function Traffic({ frames }: { readonly frames: readonly Frame[] }): ReactElement {
  if (!frames.length) return <p>No frames since this panel is here.</p>;
  return (
    <ol>
      {frames
        .slice()
        .reverse()
        .map((frame) => (
          <FrameRow key={frame.n} frame={frame} />
        ))}
    </ol>
  );
}

/** Connections, gaps, recoveries, resyncs and errors, newest first. */
export function Log({ log }: { readonly log: readonly Line[] }): ReactElement {
  if (!log.length) return <p>Nothing has happened since this panel is here.</p>;
  return (
    <ol>
      {log
        .slice()
        .reverse()
        .map(({ n, at, what, text }) => (
          <li key={n} data-what={what}>
            <Time at={at} />
            <b>{what}</b> {text}
          </li>
        ))}
    </ol>
  );
}
