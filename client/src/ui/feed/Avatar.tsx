import { useState } from 'react';
import type { ReactElement } from 'react';

/** The first letters of the first and the last word: "Ana Maria Berg" → "AB". */
export const initialsOf = (name: string): string => {
  const words = name.split(/[\s._-]+/).filter((word) => /[\p{L}\p{N}]/u.test(word));
  const [first = '', ...others] = words.map((word) => (/[\p{L}\p{N}]/u.exec(word) as RegExpExecArray)[0]);
  return (first + (others.pop() ?? '')).toLocaleUpperCase();
};

/** A person's picture; their initials where there is none or it does not load; the outline of somebody where there is no name. The sentence beside it names them. */
export const Avatar = ({ name = '', url }: { readonly name?: string | undefined; readonly url?: string | undefined }): ReactElement => {
  const [failed, setFailed] = useState<string>();
  return (
    <span className="rt-feed-avatar" aria-hidden="true">
      {url && url !== failed ? (
        <img src={url} alt="" width="28" height="28" onError={() => setFailed(url)} />
      ) : (
        initialsOf(name) || (
          <svg viewBox="0 0 16 16" width="16" height="16" fill="currentColor">
            <circle cx="8" cy="5" r="3" />
            <path d="M2.5 14a5.5 5 0 0 1 11 0z" />
          </svg>
        )
      )}
    </span>
  );
};
