import type { ReactElement, ReactNode } from 'react';

/** A choice that looks like what is chosen: the browser's own list opens on a click. */
export function Picker<T extends string>({
  label,
  value,
  options,
  onChange,
  children,
  className = '',
}: {
  readonly label: string;
  readonly value: T;
  readonly options: { readonly [V in T]?: string };
  readonly onChange: (value: T) => void;
  readonly children: ReactNode;
  readonly className?: string;
}): ReactElement {
  return (
    <span className={`picker ${className}`}>
      <span aria-hidden="true">{children}</span>
      <select aria-label={label} value={value} onChange={(event) => onChange(event.target.value as T)}>
        {Object.entries<string | undefined>(options).map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </span>
  );
}
