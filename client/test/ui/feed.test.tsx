// @vitest-environment jsdom
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GoalActivityFeed } from '../../src/ui/index.js';
import type { GoalActivityFeedProps } from '../../src/ui/index.js';
import { createFakeServer, MockRealtimeProvider } from '../../src/testing/index.js';

(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true;
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date', 'setTimeout', 'clearTimeout', 'requestAnimationFrame', 'cancelAnimationFrame', 'performance'], now: Date.UTC(2026, 0, 5, 9) }));
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

const start = (props: Partial<GoalActivityFeedProps> = {}) => {
  const server = createFakeServer({ userId: 'me' });
  const view = (more: Partial<GoalActivityFeedProps> = {}) => (
    <MockRealtimeProvider server={server}>
      <GoalActivityFeed goalId="g1" {...props} {...more} />
    </MockRealtimeProvider>
  );
  return { server, view, ...render(view()) };
};
/** One frame later. */
const frame = (): Promise<unknown> => import('@testing-library/react').then(({ act }) => act(() => vi.advanceTimersByTimeAsync(16)));
const rows = (): (string | null)[] => screen.queryAllByRole('article').map((row) => row.textContent);

test('an event of the goal is a sentence with names in bold, what was written, and how long ago', async () => {
  const { server } = start();
  screen.getByText('No activity yet');
  server.emit('goal.paused', { goalId: 'g1', actorName: 'Jo Ortiz', title: 'Onboard', reason: 'Waiting for legal.' });
  server.emit('goal.paused', { goalId: 'another' });
  await frame();
  const [row] = screen.getAllByRole('article');
  expect(row?.textContent).toBe('JOJo Ortiz paused OnboardWaiting for legal.just now');
  expect(Array.from(row?.querySelectorAll('bdi') || [], (name) => name.textContent)).toEqual(['Jo Ortiz', 'Onboard']);
  expect(row?.getAttribute('aria-label') ?? document.getElementById(row?.getAttribute('aria-labelledby') as string)?.textContent).toBe('Jo Ortiz paused Onboard');
  expect(rows().length).toBe(1);
});
