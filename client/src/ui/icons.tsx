import type { ReactElement } from 'react';

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

/** The shape of each state, 16 px, in the colour of the text. Words stand beside it, so assistive technology is spared it. */
export const Icon = ({ shape }: { readonly shape: keyof typeof shapes }): ReactElement => (
  <svg className="rt-icon" viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" strokeWidth="1.7" strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
    {shapes[shape]}
  </svg>
);
