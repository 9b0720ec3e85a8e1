export { createFakeClock } from './clock.js';
export type { FakeClock } from './clock.js';
export { makeEvent } from './events.js';
export { createFakeServer, createTestClient } from './fake-server.js';
export type { EnvelopeOptions, FakeServer, FakeServerOptions } from './fake-server.js';
export { MockRealtimeProvider } from './MockRealtimeProvider.js';
export type { MockRealtimeProviderProps } from './MockRealtimeProvider.js';
