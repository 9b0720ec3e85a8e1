import type { ReactElement } from 'react';
import { Drawing } from './Drawing.js';

const shapes = {
  disc: <circle cx="8" cy="8" r="4" fill="currentColor" stroke="none" />,
  arrow: <path d="M13.2 6.5A5.5 5.5 0 1 0 13.5 8.8M13.5 2.8v3.8H9.7" />,
  struck: (
    <>
      <circle cx="8" cy="8" r="4.8" />
      <path d="M2.8 13.2 13.2 2.8" />
    </>
  ),
  triangle: <path d="M8 2.2 14.4 13.4H1.6zM8 6.4v3.2M8 11.6v.1" />,
};

/** The shape of each state. */
export const Icon = ({ shape }: { readonly shape: keyof typeof shapes }): ReactElement => (
  <Drawing className="rt-icon" strokeWidth="1.7">
    {shapes[shape]}
  </Drawing>
);
