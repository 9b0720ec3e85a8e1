// An application's own event types, and what the types of the catalogue give.
import { createRealtimeClient } from '@purposepath/realtime';
import type { EventPattern, Selected } from '@purposepath/realtime';
import { realtimeToasts } from '@purposepath/realtime/toasts';

declare module '@purposepath/realtime' {
  interface RealtimeEventMap {
    'billing.invoice_paid': { tenantId: string; invoiceId: string };
  }
}

export const patterns: EventPattern[] = ['goal.*', 'goal.activity.*', 'action.*', 'issue.*', 'billing.*'];
export const selected: Selected<'goal.activity.*'> = 'goal.activity.created';

export function start() {
  createRealtimeClient({ url: 'wss://x', getToken: () => null }).subscribe('billing.*', (event) => event.data.invoiceId);
  realtimeToasts.issueCreated({
    issueId: 'i',
    tenantId: 't',
    title: 'x',
    description: '',
    severity: 'critical',
    status: 'open',
    priority: 'urgent',
    category: 'bug',
    createdAt: '',
    createdBy: '',
  });
  realtimeToasts.actionStatusChanged;
  realtimeToasts.goalActivityCreated;
  // @ts-expect-error no such toast
  realtimeToasts.action_status;
}
