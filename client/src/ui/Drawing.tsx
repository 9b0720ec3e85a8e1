import type { ReactElement, SVGProps } from 'react';

/** Lines of 16 px in the colour of the text. Words stand beside it, so assistive technology is spared it. */
export const Drawing = ({ className, strokeWidth, children }: Pick<SVGProps<SVGSVGElement>, 'className' | 'strokeWidth' | 'children'>): ReactElement => (
  <svg className={className} viewBox="0 0 16 16" width="16" height="16" fill="none" stroke="currentColor" strokeWidth={strokeWidth} strokeLinecap="round" strokeLinejoin="round" aria-hidden="true" focusable="false">
    {children}
  </svg>
);
