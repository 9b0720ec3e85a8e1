import type { ReactElement } from 'react';
import { personOf } from '../../domain/people.js';

/** Someone's initials. The name stands beside it, or is its title. */
export const Avatar = ({ id, label }: { readonly id: string; readonly label?: string }): ReactElement => {
  const name = personOf(id)?.name ?? 'Someone';
  const initials = name
    .split(' ')
    .map((word) => word.charAt(0))
    .join('')
    .slice(0, 2);
  return (
    <span className="avatar" title={label ?? name}>
      <span aria-hidden="true">{initials}</span>
      <span className="hidden">{label ?? name}</span>
    </span>
  );
};
