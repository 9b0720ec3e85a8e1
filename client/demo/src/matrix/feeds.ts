/** The states of a feed: what it is handed, and what happens to it then. */
import type { RealtimeEvent } from '@purposepath/realtime';
import type { GoalActivityFeedProps } from '@purposepath/realtime/ui';
import { seedOf } from '../../domain/seed.js';
import { NOW } from './freeze.js';
import { createScene, live, lost, MINUTE, SECOND } from './scenes.js';
import type { Scene } from './scenes.js';

const { state, history } = seedOf('demo', NOW);
const ofGoal = (goalId: string): readonly RealtimeEvent[] => history.map((event) => ({ ...event, sequence: 0 }) as RealtimeEvent).filter(({ data }) => (data as { readonly goalId?: string }).goalId === goalId);
const title = (goalId: string): string => state.goals.find(({ id }) => id === goalId)?.title ?? '';

/** One state of a feed. */
export interface FeedState {
  readonly name: string;
  readonly scene: () => Promise<Scene>;
  readonly props: Omit<GoalActivityFeedProps, 'label' | 'goalId'>;
  /** Once it is on the page. */
  readonly then?: (scene: Scene, feed: Element) => void | Promise<void>;
  /** It scrolls by itself. */
  readonly scrolls?: boolean;
}

export const GOAL = 'goal-1';
const before = ofGoal(GOAL);
const moved = (scene: Scene, by: string, from: number, to: number): void =>
  scene.emit('action.progress_updated', { actionId: 'action-1-1', goalId: GOAL, title: 'Review Q4 pipeline', goalTitle: title(GOAL), previousProgress: from, newProgress: to, updatedBy: by });
const noted = (scene: Scene, n: number, content: string): void =>
  scene.emit('goal.activity.created', { activityId: `note-${n}`, goalId: GOAL, type: 'comment', title: 'Comment', content, tags: [], goalTitle: title(GOAL), createdBy: n % 2 ? 'user-mo' : 'user-jo' });

export const feeds: readonly FeedState[] = [
  { name: 'Loading', scene: live, props: { loading: true } },
  { name: 'Empty', scene: live, props: {} },
  { name: 'Failed', scene: live, props: { error: { retry: () => {} } } },
  {
    name: 'Failed, with an event since',
    scene: live,
    props: { error: { retry: () => {} } },
    then: (scene) => noted(scene, 1, 'The list below could not be had; this comes through the connection.'),
  },
  { name: 'Updates paused', scene: () => lost(15 * MINUTE), props: { initialActivities: before.slice(-2) } },
  {
    name: 'New at the top, highlighted',
    scene: live,
    props: { initialActivities: before.slice(-3) },
    then: (scene) => moved(scene, 'user-ana', 15, 35),
  },
  {
    name: 'Several alike, and tags',
    scene: async () => {
      const scene = createScene();
      await scene.client.connect();
      await scene.until(4 * MINUTE);
      scene.emit('goal.activity.created', { activityId: 'decision-1', goalId: GOAL, type: 'decision', title: 'Focus on accounts over 50 seats', content: 'Smaller accounts follow in autumn.', tags: ['scope', 'q2'], createdBy: 'user-mo' });
      await scene.until(3 * MINUTE);
      for (const [i, from] of [20, 30, 40, 50, 55].entries()) {
        moved(scene, 'user-ana', from, from + (i < 3 ? 10 : 5));
        await scene.until(3 * MINUTE - (i + 1) * 10 * SECOND);
      }
      await scene.until(0);
      return scene;
    },
    props: {},
  },
  {
    name: 'Missed while away',
    scene: async () => {
      const scene = createScene();
      await scene.client.connect();
      await scene.until(5 * MINUTE);
      return scene;
    },
    props: { initialActivities: before.slice(0, 4) },
    then: async (scene) => {
      scene.break(true);
      scene.server.drop();
      await scene.until(4 * MINUTE);
      noted(scene, 1, 'Legal has signed.');
      await scene.until(3 * MINUTE);
      moved(scene, 'user-jo', 35, 60);
      await scene.until(MINUTE);
      scene.break(false);
      await scene.until(30 * SECOND);
      noted(scene, 2, 'Numbers are in: better than forecast.');
      await scene.until(0);
    },
  },
  {
    name: 'New while the reader is further down',
    scene: live,
    props: { initialActivities: before },
    scrolls: true,
    then: (scene, feed) => {
      feed.scrollTop = 130;
      for (const n of [1, 2, 3]) noted(scene, n, 'Nothing moves what is being read.');
    },
  },
  { name: 'More to load', scene: live, props: { initialActivities: before.slice(-2), hasMore: true, onLoadMore: () => {} } },
];
