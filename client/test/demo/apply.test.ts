import { describe, expect, test } from 'vitest';
import { EventTypes } from '../../src/generated/events.js';
import { validateEvent } from '../../src/generated/validate.js';
import { apply } from '../../demo/domain/apply.js';
import { eventOf } from '../../demo/domain/commands.js';
import { tenants } from '../../demo/domain/people.js';
import { seedOf } from '../../demo/domain/seed.js';
import { createService } from '../../demo/domain/service.js';
import { suggest } from '../../demo/domain/suggest.js';
import { progressOf } from '../../demo/domain/state.js';
import type { DomainEvent } from '../../demo/domain/state.js';
import { isSame } from '../../demo/src/drawers/isSame.js';

const NOW = Date.UTC(2026, 0, 5, 9);
const [{ id: tenantId, people }] = tenants;
const { state: seeded, history } = seedOf(tenantId, NOW);

/** Numbers that are the same with every run. */
const randomOf = (seed: number) => (): number => (seed = (seed * 16_807) % 2_147_483_647) / 2_147_483_647;

/** What a team does in a while, in the order of the service. */
const busy = async (seed: number, count: number) => {
  const events: DomainEvent[] = [];
  let now = NOW;
  let made = 0;
  const service = createService(tenantId, { publish: async (batch) => void events.push(...batch), now: () => (now += 5_000), random: randomOf(seed), id: () => `id-${++made}` });
  const { state: before } = service.snapshot();
  for (const type of Object.values(EventTypes)) await service.act(type, 3, people);
  await service.act(undefined, count, people);
  return { before, events, after: service.snapshot().state };
};

const isCreation = ({ type }: DomainEvent): boolean => type === 'goal.created' || type === 'action.created' || type === 'issue.created';

describe('apply', () => {
  test('leads to what the service knows, whatever the order after a creation, and however often an event comes', async () => {
    for (const seed of [1, 2, 3, 4, 5]) {
      const { before, events, after } = await busy(seed, 200);
      expect(new Set(events.map(({ type }) => type)).size).toBe(16);
      const random = randomOf(seed + 100);
      const rest = events.filter((event) => !isCreation(event));
      const shuffled = [...rest, ...rest.slice(0, 50)].map((event) => [random(), event] as const).sort(([a], [b]) => a - b);
      const state = [...events.filter(isCreation), ...shuffled.map(([, event]) => event)].reduce(apply, before);
      expect(isSame(state, after), `seed ${seed}`).toBe(true);
      expect(isSame(before, after)).toBe(false);
    }
  });

  test('lets the later of two changes win, also when it comes first', () => {
    const [action] = seeded.actions;
    if (!action) throw new Error('there is no action');
    const at = (ms: number, newProgress: number): DomainEvent =>
      eventOf(seeded, { type: 'action.progress_updated', input: { actionId: action.id, newProgress } }, { tenantId, user: people[0], at: new Date(NOW + ms).toISOString(), eventId: String(ms) });
    const state = apply(apply(seeded, at(2, 60)), at(1, 20));
    expect(state.actions.find(({ id }) => id === action.id)?.progress).toBe(60);
  });

  test('changes nothing for what it does not know', () => {
    const [goal] = seeded.goals;
    const event = eventOf(seeded, { type: 'goal.paused', input: { goalId: goal?.id ?? '' } }, { tenantId, user: people[0], at: new Date(NOW).toISOString(), eventId: 'e' });
    const stranger = { ...event, data: { ...event.data, goalId: 'elsewhere' } } as DomainEvent;
    expect(isSame(apply(seeded, stranger), seeded)).toBe(true);
  });
});

describe('events of the service', () => {
  test('keep to the catalogue, those of the past too', async () => {
    const { events } = await busy(7, 100);
    for (const event of [...history, ...events]) expect(validateEvent({ ...event, sequence: 1 }), JSON.stringify(event)).toMatchObject({ ok: true });
  });

  test('have each a time of its own, in their order', async () => {
    const { events } = await busy(8, 100);
    const times = events.map(({ timestamp }) => timestamp);
    expect([...new Set(times)].sort()).toEqual(times);
  });

  test('leave alone what was created a moment ago', () => {
    const { state } = seedOf(tenantId, NOW);
    const fresh = { ...state, goals: state.goals.map((goal) => ({ ...goal, createdAt: new Date(NOW).toISOString() })) };
    const settled = new Date(NOW - 1).toISOString();
    expect(suggest('goal.paused', fresh, people, randomOf(1), () => 'id', settled)).toBeUndefined();
    expect(suggest('goal.paused', state, people, randomOf(1), () => 'id', settled)).toBeDefined();
  });
});

test('a goal is as far as its actions are, and all the way when it is completed', () => {
  const goal = seeded.goals.find(({ title }) => title === 'Increase revenue by 20 %');
  if (!goal) throw new Error('there is no such goal');
  expect(progressOf(seeded, goal)).toBe(64);
  expect(progressOf(seeded, { ...goal, status: 'completed' })).toBe(100);
  expect(progressOf({ ...seeded, actions: [] }, goal)).toBe(0);
});
