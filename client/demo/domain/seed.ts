import type { CatalogueType } from '../../src/index.js';
import { eventOf } from './commands.js';
import type { Command } from './commands.js';
import { personOf, tenantOf } from './people.js';
import type { Person } from './people.js';
import type { Snapshot } from './service.js';
import type { Action, DomainEvent, Goal, Issue, Measure, State } from './state.js';

const MINUTE = 60_000;
const DAY = 1_440 * MINUTE;

/** title, assignee, progress, priority, days until it is due */
type ActionSeed = readonly [title: string, assigneeId: string, progress: number, priority: Action['priority'], dueIn: number];
interface GoalSeed {
  readonly title: string;
  readonly ownerId: string;
  readonly status: Goal['status'];
  readonly reason?: string;
  readonly actions?: readonly ActionSeed[];
  readonly measure?: { readonly title: string; readonly unit: string; readonly baseline: number; readonly target: number; readonly values: readonly number[] };
  readonly issues?: readonly (readonly [title: string, reporterId: string, severity: Issue['severity'], status: Issue['status']])[];
}

const acme: readonly GoalSeed[] = [
  {
    title: 'Increase revenue by 20 %',
    ownerId: 'user-mo',
    status: 'active',
    actions: [
      ['Review Q4 pipeline', 'user-ana', 15, 'high', 4],
      ['Renegotiate the partner contract', 'user-jo', 5, 'medium', 18],
      ['Publish the new pricing page', 'user-mo', 100, 'high', -2],
      ['Train sales on the new packages', 'user-lea', 100, 'medium', -5],
      ['Win back dormant accounts', 'user-ana', 100, 'low', -9],
    ],
    measure: { title: 'Monthly recurring revenue', unit: 'k€', baseline: 410, target: 492, values: [410, 418, 425, 431, 444, 452, 461] },
    issues: [
      ['Discounts are not shown on the invoice', 'user-jo', 'high', 'in_progress'],
      ['Trial sign-ups from Spain dropped', 'user-lea', 'medium', 'open'],
    ],
  },
  {
    title: 'Onboard first ten enterprise customers',
    ownerId: 'user-jo',
    status: 'paused',
    reason: 'Waiting for legal.',
    actions: [
      ['Sign the data processing agreement', 'user-jo', 15, 'critical', 6],
      ['Set up single sign-on', 'user-mo', 5, 'high', 12],
      ['Write the onboarding guide', 'user-lea', 0, 'medium', 20],
      ['Choose the pilot customers', 'user-ana', 100, 'high', -12],
    ],
    measure: { title: 'Enterprise customers live', unit: '', baseline: 0, target: 10, values: [0, 1, 1, 2, 3] },
    issues: [['Single sign-on fails for Azure tenants', 'user-mo', 'high', 'open']],
  },
  {
    title: 'Reduce churn below 3 %',
    ownerId: 'user-ana',
    status: 'active',
    actions: [
      ['Call customers at risk', 'user-ana', 50, 'high', 3],
      ['Offer annual plans at renewal', 'user-mo', 24, 'medium', 10],
      ['Survey customers who left', 'user-lea', 100, 'medium', -20],
      ['Fix the slow report', 'user-mo', 100, 'high', -14],
      ['Send the monthly health mail', 'user-lea', 100, 'low', -7],
      ['Rank accounts by usage', 'user-jo', 100, 'medium', -6],
      ['Agree on a playbook for renewals', 'user-ana', 100, 'medium', -3],
    ],
    measure: { title: 'Monthly churn', unit: '%', baseline: 4.6, target: 3, values: [4.6, 4.3, 4.1, 3.8, 3.6, 3.4] },
    issues: [['Cancel form asks twice', 'user-ana', 'low', 'resolved']],
  },
  { title: 'Ship the mobile app', ownerId: 'user-lea', status: 'draft' },
  {
    title: 'Hire the platform team',
    ownerId: 'user-lea',
    status: 'active',
    actions: [
      ['Interview the short list', 'user-mo', 40, 'high', 8],
      ['Agree on salary bands', 'user-jo', 70, 'medium', 5],
      ['Publish the three openings', 'user-lea', 100, 'high', -15],
      ['Plan the first hundred days', 'user-ana', 0, 'low', 30],
    ],
    measure: { title: 'Offers accepted', unit: '', baseline: 0, target: 4, values: [0, 0, 1, 1] },
  },
  {
    title: 'Be ready for ISO 27001 by spring',
    ownerId: 'user-mo',
    status: 'active',
    actions: [
      ['Write the access policy', 'user-mo', 60, 'high', 9],
      ['Encrypt the backups', 'user-jo', 30, 'critical', 2],
      ['Run the recovery exercise', 'user-ana', 0, 'medium', 25],
      ['Inventory of suppliers', 'user-lea', 10, 'low', 40],
    ],
    measure: { title: 'Controls in place', unit: '', baseline: 12, target: 93, values: [12, 19, 24, 33] },
    issues: [['Backup of the archive is unencrypted', 'user-jo', 'high', 'open']],
  },
];

const northwind: readonly GoalSeed[] = [
  {
    title: 'Open the Rotterdam warehouse',
    ownerId: 'user-kim',
    status: 'active',
    actions: [
      ['Sign the lease', 'user-kim', 100, 'critical', -4],
      ['Order the conveyor', 'user-sam', 45, 'high', 11],
      ['Hire the shift leads', 'user-kim', 20, 'medium', 21],
    ],
    measure: { title: 'Pallet places ready', unit: '', baseline: 0, target: 4_000, values: [0, 350, 700, 1_200] },
    issues: [['Floor load of bay 4 is unclear', 'user-sam', 'medium', 'open']],
  },
  {
    title: 'Deliver within two days',
    ownerId: 'user-sam',
    status: 'active',
    actions: [
      ['Compare three carriers', 'user-sam', 80, 'high', 2],
      ['Move the cut-off to 16:00', 'user-kim', 35, 'medium', 7],
    ],
    measure: { title: 'Orders in two days', unit: '%', baseline: 71, target: 95, values: [71, 74, 76, 81] },
  },
  { title: 'Halve packaging waste', ownerId: 'user-kim', status: 'draft' },
];

/** minutes ago, who, and what: what the feeds begin with */
type Past = readonly [minutesAgo: number, userId: string, command: Command];

const pastOf = (goals: readonly Goal[], actions: readonly Action[], measures: readonly Measure[]): readonly Past[] =>
  goals
    .flatMap((goal, i): readonly Past[] => {
      const [first, second] = actions.filter(({ goalId }) => goalId === goal.id);
      const measure = measures.find(({ goalId }) => goalId === goal.id);
      const shift = i * 7;
      const note = (n: number, title: string, content: string, type: 'comment' | 'note' | 'decision'): Command => ({ type: 'goal.activity.created', input: { activityId: `${goal.id}-note-${n}`, goalId: goal.id, type, title, content } });
      return [
        [4_320 + shift, goal.ownerId, { type: 'goal.created', input: { goalId: goal.id, title: goal.title } }],
        ...(first && second && measure
          ? ([
              [4_300 + shift, goal.ownerId, { type: 'goal.activated', input: { goalId: goal.id } }],
              [1_570 + shift, first.assigneeId, note(1, 'We focus on accounts over 50 seats', 'Smaller accounts follow in autumn.', 'decision')],
              [182 + shift, second.assigneeId, { type: 'action.progress_updated', input: { actionId: second.id, newProgress: second.progress } }],
              [64 + shift, goal.ownerId, { type: 'measure.reading_created', input: { readingId: `${goal.id}-past`, measureId: measure.id, value: measure.readings[measure.readings.length - 1]?.value ?? measure.baseline } }],
              ...(goal.status === 'paused' ? ([[18 + shift, goal.ownerId, { type: 'goal.paused', input: { goalId: goal.id, reason: goal.reason ?? '' } }]] as const) : []),
              [6 + shift, second.assigneeId, note(2, 'Pricing page is live', 'Conversion looks up 4 %.', 'comment')],
              [2 + shift, first.assigneeId, { type: 'action.status_changed', input: { actionId: first.id, newStatus: 'in_progress' } }],
            ] as const)
          : []),
      ];
    })
    .sort(([a], [b]) => b - a);

/** A tenant's goals as they are at `now`, and how they came to be so. */
export function seedOf(tenantId: string, now: number): Snapshot {
  const seeds = tenantOf(tenantId).id === 'demo' ? acme : northwind;
  const time = (before: number): string => new Date(now - before).toISOString();
  const created = time(3 * DAY);
  const goals = seeds.map(({ title, ownerId, status, reason }, i): Goal => ({ id: `goal-${i + 1}`, title, ownerId, status, reason, createdAt: time(3 * DAY - i * MINUTE), at: {} }));
  const each = <S, T>(of: (seed: GoalSeed) => readonly S[] | undefined, make: (seed: S, goalId: string, index: string) => T): readonly T[] =>
    seeds.flatMap((seed, g) => (of(seed) ?? []).map((one, i) => make(one, `goal-${g + 1}`, `${g + 1}-${i + 1}`)));
  const state: State = {
    goals,
    actions: each(
      ({ actions }) => actions,
      ([title, assigneeId, progress, priority, dueIn], goalId, index): Action => ({
        id: `action-${index}`,
        goalId,
        title,
        assigneeId,
        dueDate: time(-dueIn * DAY).slice(0, 10),
        priority,
        status: progress === 100 ? 'completed' : progress ? 'in_progress' : 'todo',
        progress,
        createdAt: created,
        at: {},
      }),
    ),
    issues: each(
      ({ issues }) => issues,
      ([title, reporterId, severity, status], goalId, index): Issue => ({ id: `issue-${index}`, goalId, title, severity, status, reporterId, createdAt: created, at: {} }),
    ),
    measures: each(
      ({ measure }) => measure && [measure],
      ({ values, ...measure }, goalId, index): Measure => ({ id: `measure-${index}`, goalId, ...measure, readings: values.map((value, i) => ({ id: `reading-${index}-${i + 1}`, value, at: time((values.length - i) * 7 * DAY) })) }),
    ),
  };
  const history = pastOf(state.goals, state.actions, state.measures).map(
    ([minutes, userId, command], i): DomainEvent => eventOf(state, command, { tenantId, user: personOf(userId) as Person, at: time(minutes * MINUTE), eventId: `${tenantId}-past-${i + 1}` }),
  );
  return { state, history: history.map((event) => corrected(event)) };
}

/** What a change began with is not in the state any more, so it is made up. */
const corrected = (event: DomainEvent): DomainEvent => {
  const before: { readonly [T in CatalogueType]?: object } = { 'action.status_changed': { previousStatus: 'todo' }, 'action.progress_updated': { previousProgress: 0 }, 'goal.activated': { previousStatus: 'draft' } };
  return { ...event, data: { ...event.data, ...before[event.type] } } as DomainEvent;
};
