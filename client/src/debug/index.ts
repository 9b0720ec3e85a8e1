'use client';
export { RealtimeDebugPanel, RealtimeDebugPanel as default } from './RealtimeDebugPanel.js';
export type { RealtimeDebugPanelProps } from './RealtimeDebugPanel.js';
