import './freeze.js';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { feeds, GOAL } from './feeds.js';
import { Matrix } from './Matrix.js';
import { CLOSED, connections, createScene, live, SECOND } from './scenes.js';
import type { Scene } from './scenes.js';
import '../styles/index.css';
import '../styles/matrix.css';

/** `?theme=light|dark`; `?debug=Traffic|Log` for another tab of the debug panel. */
const query = new URLSearchParams(location.search);
const theme = query.get('theme');
if (theme) document.documentElement.dataset.theme = theme;

/** Highlights of different parts must not count as many at once. */
const pause = (): Promise<unknown> => new Promise((resolve) => setTimeout(resolve, 1_100));
const press = (selector: string): void => document.querySelectorAll<HTMLElement>(selector).forEach((button) => button.click());

const toasts = async ({ server, until, emit }: Scene): Promise<void> => {
  emit('goal.created', { goalId: 'goal-7', title: 'Win three reference customers', createdBy: 'user-mo' });
  emit('goal.completed', { goalId: 'goal-3', title: 'Reduce churn below 3 %', completedBy: 'user-ana' });
  emit('goal.paused', { goalId: 'goal-2', title: 'Onboard first ten enterprise customers', pausedBy: 'user-jo' });
  emit('issue.created', { issueId: 'issue-9', title: 'Sign-in fails for everybody', severity: 'critical', createdBy: 'user-jo' });
  server.drop();
  for (let n = 1; n <= 11; n++) emit('action.created', { actionId: `action-${n}`, goalId: GOAL, title: 'Interview five customers', createdBy: 'user-mo' });
  emit('issue.created', { issueId: 'issue-10', title: 'Backups do not run', severity: 'critical', createdBy: 'user-ana' });
  await until(0);
};

const show = async (): Promise<void> => {
  const scenes = {
    live: await live(),
    connections: await Promise.all(Object.entries(connections).map(async ([name, make]) => [name, await make()] as const)),
    feeds: await Promise.all(feeds.map(({ scene }) => scene())),
    card: await live(),
    toasts: createScene(),
    debug: createScene(),
  };
  await scenes.toasts.client.connect();
  await scenes.toasts.until(10 * SECOND);

  flushSync(() => createRoot(document.getElementById('root') as HTMLElement).render(<Matrix scenes={scenes} />));
  scenes.connections.find(([name]) => name === CLOSED)?.[1].client.disconnect();
  press('[data-press="panel"] button');
  press('[data-press="few"]');
  await pause();
  press('[data-press="many"]');
  await pause();
  scenes.card.emit('goal.activity.created', { goalId: GOAL, createdBy: 'user-jo' });
  await pause();
  for (const [i, { name, then }] of feeds.entries()) {
    const feed = document.querySelector(`.rt-feed[aria-label="${name}"]`);
    if (!then || !feed) continue;
    await then(scenes.feeds[i] as Scene, feed);
    await pause();
  }
  await toasts(scenes.toasts);
  // What the debug panel shows has happened while it was there.
  const { debug } = scenes;
  await debug.client.connect();
  debug.emit('goal.activity.created', { goalId: GOAL, createdBy: 'user-jo' });
  await debug.until(30 * SECOND);
  debug.server.drop();
  debug.emit('goal.paused', { goalId: 'goal-2' });
  await debug.until(0);
  const tab = query.get('debug');
  document.querySelectorAll<HTMLElement>('.rt-debug [role="tab"]').forEach((one) => one.textContent === tab && one.click());
  await pause();
  // The grace of a lost connection.
  await pause();
  document.documentElement.dataset.ready = '';
};

void show();
