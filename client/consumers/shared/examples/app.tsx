// A web application: provider, query cache, toasts, components, and every hook with the types that it promises.
import { QueryClient, QueryClientProvider, useQueryClient } from '@tanstack/react-query';
import { realtimeConfig } from '@purposepath/realtime';
import { RealtimeProvider, useGoalActivity, useRealtimeBatch, useRealtimeEvent, useRealtimeGoals } from '@purposepath/realtime/react';
import { rule, useRealtimeInvalidation } from '@purposepath/realtime/query';
import { GoalActivityFeed, HighlightWrapper, LiveBadge, RealtimeIndicator, useLiveBadge } from '@purposepath/realtime/ui';
import { useRealtimeToasts } from '@purposepath/realtime/toasts';

declare const process: { env: Record<string, string | undefined> };
declare function useAuth(): { user: { id: string; tenantId: string } | null; getAccessToken(options: { force: boolean; signal: AbortSignal }): Promise<string> };
declare function useUsers(): Map<string, { name: string }>;

const queryClient = new QueryClient();

export function App() {
  const config = realtimeConfig({ REACT_APP_FEATURE_REALTIME: process.env.REACT_APP_FEATURE_REALTIME, REACT_APP_REALTIME_WS_URL: process.env.REACT_APP_REALTIME_WS_URL });
  const { user, getAccessToken } = useAuth();
  const users = useUsers();
  return (
    <QueryClientProvider client={queryClient}>
      <RealtimeProvider
        url={config.url}
        enabled={config.enabled}
        sessionKey={user && `${user.tenantId}/${user.id}`}
        getToken={({ reason, signal }) => getAccessToken({ force: reason !== 'connect', signal })}
        resolveUser={(id) => users.get(id)}
      >
        <Shell />
      </RealtimeProvider>
    </QueryClientProvider>
  );
}

type Key = readonly [string, ...string[]];

function Shell() {
  const client = useQueryClient();
  useRealtimeToasts({ only: ['goal.completed', 'issue.created'] });
  useRealtimeInvalidation<Key>({
    rules: [
      rule('goal.*', (event) => [['goals'], ['goals', event.data.goalId]]),
      rule(['action.status_changed', 'issue.created'], (event) => [event.type === 'issue.created' ? ['issues', event.data.issueId] : ['actions', event.data.actionId]]),
    ],
    invalidate: (keys, why) => (why === 'resync' ? client.invalidateQueries() : Promise.all(keys.map((queryKey) => client.invalidateQueries({ queryKey })))),
  });
  return (
    <header>
      <RealtimeIndicator position="header" showDetails />
    </header>
  );
}

export function GoalCard({ goal }: { goal: { id: string; title: string } }) {
  const { showBadge, triggerBadge } = useLiveBadge();
  useRealtimeEvent({
    eventType: 'goal.completed',
    where: { kind: 'goal', id: goal.id },
    onEvent: (event, meta) => {
      const notes: string | undefined = event.data.finalNotes;
      if (!meta.replayed || notes) triggerBadge();
    },
  });
  useRealtimeEvent({
    eventType: ['goal.created', 'goal.paused'],
    onEvent: (event) => {
      if (event.type === 'goal.created') event.data.title.trim();
      else {
        event.data.reason?.trim();
        // @ts-expect-error narrowed away
        event.data.description;
      }
    },
  });
  useRealtimeEvent({
    eventType: '*',
    onEvent: (event) => {
      switch (event.type) {
        case 'issue.created':
          return void event.data.severity;
        case 'goal.created':
          return void event.data.title;
      }
    },
  });
  // @ts-expect-error no such type
  useRealtimeEvent({ eventType: 'goal.complete', onEvent: () => {} });
  // @ts-expect-error no such prefix
  useRealtimeEvent({ eventType: 'gaol.*', onEvent: () => {} });
  useRealtimeGoals({
    onAnyGoalEvent: (type, data) => {
      if (type === 'goal.created') data.title.trim();
    },
    onGoalCompleted: (data) => data.completedBy,
  });
  useGoalActivity({
    goalId: goal.id,
    onActivityCreated: (data) => {
      const kind: 'note' | 'comment' | 'attachment' | 'decision' | 'review' = data.type;
      return kind;
    },
    onPaused: (data) => data.reason,
  });
  useRealtimeBatch({ eventType: 'action.*', onEvents: (events) => events.map((event) => event.data.actionId) });
  return (
    <HighlightWrapper as="li" entity={{ kind: 'goal', id: goal.id }}>
      <LiveBadge show={showBadge} />
      {goal.title}
      <GoalActivityFeed goalId={goal.id} maxActivities={50} />
    </HighlightWrapper>
  );
}
