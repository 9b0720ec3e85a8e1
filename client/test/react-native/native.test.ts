import { expect, test } from 'vitest';
import { nativePage } from '../../src/react-native/index.js';

test('application and network become a page', () => {
  let change = (_: string): void => {};
  let net = (_: { isConnected: boolean | null }): void => {};
  let left = 0;
  const AppState = {
    currentState: 'active',
    addEventListener: (_: 'change', listener: (state: string) => void) => {
      change = listener;
      return { remove: () => void left++ };
    },
  };
  const NetInfo = {
    addEventListener: (listener: (state: { isConnected: boolean | null }) => void) => {
      net = listener;
      return () => void left++;
    },
  };
  const heard: string[] = [];
  const page = nativePage({ AppState, NetInfo });
  const leave = page.subscribe((event) => heard.push(event));
  expect(page.isVisible()).toBe(true);
  net({ isConnected: null });
  net({ isConnected: true });
  change('inactive');
  change('background');
  change('active');
  net({ isConnected: false });
  net({ isConnected: true });
  net({ isConnected: true });
  expect(heard).toEqual(['hidden', 'visible', 'offline', 'online']);
  leave();
  expect(left).toBe(2);
});
