import type { ReactElement, ReactNode } from 'react';
import { RealtimeProvider } from '@purposepath/realtime/react';
import type { RealtimeClient } from '@purposepath/realtime';
import { personOf } from '../../domain/people.js';

/** A part of the page: one component. */
export const Part = ({ name, children }: { readonly name: string; readonly children: ReactNode }): ReactElement => (
  <section className="matrix-part" aria-label={name}>
    <h2>{name}</h2>
    <div className="matrix-cells">{children}</div>
  </section>
);

/** One state of it. `wide`: as wide as the page. */
export const Cell = ({ name, client, enabled, isWide = false, children }: { readonly name: string; readonly client: RealtimeClient; readonly enabled?: boolean; readonly isWide?: boolean; readonly children: ReactNode }): ReactElement => (
  <figure className="matrix-cell" data-wide={isWide || undefined}>
    <figcaption>{name}</figcaption>
    <RealtimeProvider client={client} enabled={enabled} resolveUser={personOf}>
      {children}
    </RealtimeProvider>
  </figure>
);
