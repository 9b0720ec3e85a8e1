// The test of what is rendered on a server, where there is no window. React 18 complains there of every useLayoutEffect, React 19 no longer does.
import { renderToString } from 'react-dom/server';
import type { ReactElement } from 'react';
import { RealtimeProvider } from '@purposepath/realtime/react';
import { GoalActivityFeed, HighlightWrapper, LiveBadge, RealtimeIndicator, useLiveBadge } from '@purposepath/realtime/ui';

const Badge = (): ReactElement => <LiveBadge show={useLiveBadge().showBadge} />;

test('on a server React 18.2 has nothing to say', () => {
  const said: unknown[] = [];
  const { error } = console;
  console.error = (...words: unknown[]) => said.push(words);
  try {
    const page = renderToString(
      <RealtimeProvider url="ws://localhost" sessionKey="t/u" getToken={() => null}>
        <GoalActivityFeed goalId="g1" />
        <RealtimeIndicator showDetails />
        <HighlightWrapper>
          <Badge />
        </HighlightWrapper>
      </RealtimeProvider>,
    );
    expect(/No activity yet/.test(page)).toBe(true);
    expect(said).toEqual([]);
  } finally {
    console.error = error;
  }
});
