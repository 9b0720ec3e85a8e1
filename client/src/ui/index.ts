'use client';
export type { RealtimeLabels } from '../react/context.js';
