import { expect, test } from 'vitest';
import { realtimeConfig } from '../src/index.js';

test.each([
  ['on', { REACT_APP_FEATURE_REALTIME: 'true', REACT_APP_REALTIME_WS_URL: 'wss://x.example/dev' }, { enabled: true, url: 'wss://x.example/dev' }],
  ['on, in capitals, by another name', { VITE_FEATURE_REALTIME: ' ON ', VITE_REALTIME_WS_URL: 'ws://localhost:5055' }, { enabled: true, url: 'ws://localhost:5055' }],
  ['one', { NEXT_PUBLIC_FEATURE_REALTIME: 1, NEXT_PUBLIC_REALTIME_WS_URL: 'ws://h' }, { enabled: true, url: 'ws://h' }],
  ['off', { REACT_APP_FEATURE_REALTIME: 'false', REACT_APP_REALTIME_WS_URL: 'nonsense' }, { enabled: false, url: 'nonsense' }],
  ['nothing', {}, { enabled: false, url: '' }],
  ['on without a URL', { REACT_APP_FEATURE_REALTIME: 'true', REACT_APP_REALTIME_WS_URL: undefined }, { enabled: false, url: '', problem: 'The flag of realtime is on, and its URL is missing' }],
  ['on with a page', { REACT_APP_FEATURE_REALTIME: 'true', REACT_APP_REALTIME_WS_URL: 'https://x' }, { enabled: false, url: 'https://x', problem: 'The URL of realtime must begin with ws:// or wss://: https://x' }],
])('%s', (_, env, config) => {
  expect(realtimeConfig(env)).toEqual(config);
});
