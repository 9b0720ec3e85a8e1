import type { ReactElement } from 'react';

/** What is to come, while it takes long. */
export const Skeleton = (): ReactElement => (
  <section className="goals">
    <div className="section-top">
      <h2>Active goals</h2>
    </div>
    <ul className="cards">
      {[0, 1, 2].map((n) => (
        <li key={n} className="card skeleton" aria-hidden="true" />
      ))}
    </ul>
  </section>
);
