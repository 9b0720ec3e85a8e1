export { createRealtimeClient } from './core/client.js';
export { FatalTokenError } from './core/error.js';
export type { ErrorCode, RealtimeError } from './core/error.js';
export type {
  Clock,
  EventHandler,
  EventMeta,
  GetToken,
  LogEntry,
  PageEvent,
  PagePort,
  Ports,
  RealtimeClient,
  RealtimeOptions,
  RealtimeStats,
  Resync,
  ResyncReason,
  Share,
  SubscribeOptions,
  TabsPort,
  TokenReason,
  Unsubscribe,
  WebSocketLike,
} from './core/options.js';
export { shareTabs } from './core/tabs/share.js';
export type { ConnectionState, ConnectionStatus, Phase } from './core/status.js';
export * from './generated/events.js';
export { validateEvent } from './generated/validate.js';
export type { ValidationIssue } from './generated/validate.js';
export { realtimeConfig } from './config.js';
export type { EnvNames, RealtimeConfig } from './config.js';
export { createEventSourceShim } from './eventsource.js';
export type { EventSourceShim, ShimListener, ShimMessage } from './eventsource.js';
