/** A page of an application with every component on it. */
import type { ReactNode } from 'react';
import { Toaster } from 'sonner';
import '../../src/ui/styles/index.css';
import { useRealtimeToasts } from '../../src/toasts/index.js';
import { GoalActivityFeed, HighlightWrapper, LiveBadge, RealtimeIndicator, useLiveBadge } from '../../src/ui/index.js';

export const Board = ({ goalId }: { readonly goalId: string }): ReactNode => {
  const goal = { kind: 'goal', id: goalId } as const;
  const { showBadge } = useLiveBadge({ eventType: 'goal.*', where: goal });
  useRealtimeToasts();
  return (
    <>
      <header>
        <h1>Goals</h1>
        <RealtimeIndicator showDetails />
      </header>
      <main>
        <HighlightWrapper as="section" id="goal" entity={goal} aria-labelledby="title">
          <h2 id="title">Reduce churn</h2>
          <LiveBadge show={showBadge} />
        </HighlightWrapper>
        <h2>Activity</h2>
        <GoalActivityFeed goalId={goalId} />
      </main>
      <footer>
        <RealtimeIndicator position="footer" />
      </footer>
      <Toaster />
    </>
  );
};
