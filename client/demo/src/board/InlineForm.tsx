import { useState } from 'react';
import type { ReactElement, ReactNode } from 'react';

/** One line to write in, and a button. */
export function InlineForm({
  label,
  button,
  type = 'text',
  children,
  onSubmit,
}: {
  readonly label: string;
  readonly button: string;
  readonly type?: 'text' | 'number';
  readonly children?: ReactNode;
  readonly onSubmit: (text: string) => void;
}): ReactElement {
  const [text, setText] = useState('');
  return (
    <form
      className="inline-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!text.trim()) return;
        onSubmit(text.trim());
        setText('');
      }}
    >
      <input type={type} step={type === 'number' ? 'any' : undefined} aria-label={label} placeholder={label} value={text} maxLength={200} autoComplete="off" onChange={(event) => setText(event.target.value)} />
      {children}
      <button type="submit" className="button" disabled={!text.trim()}>
        {button}
      </button>
    </form>
  );
}
