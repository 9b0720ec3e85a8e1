import { expect, test } from 'vitest';
import { Refused } from '../../demo/domain/commands.js';
import { tenants } from '../../demo/domain/people.js';
import { createService } from '../../demo/domain/service.js';
import type { DomainEvent } from '../../demo/domain/state.js';

const [{ id: tenantId, people }] = tenants;
const [ana] = people;

/** A service whose bus can be away. */
const start = () => {
  const bus = { isThere: true, events: [] as DomainEvent[], calls: 0 };
  let made = 0;
  const service = createService(tenantId, {
    publish: async (events) => {
      bus.calls++;
      if (!bus.isThere) throw new Error('the bus is away');
      bus.events.push(...events);
    },
    now: () => Date.UTC(2026, 0, 5, 9) + made * 1_000,
    random: () => (made * 0.618_034) % 1,
    id: () => `id-${++made}`,
  });
  return { service, bus };
};

const pause = { type: 'goal.paused', input: { goalId: 'goal-1' } } as const;
const statusOf = ({ service }: ReturnType<typeof start>) => service.snapshot().state.goals.find(({ id }) => id === 'goal-1')?.status;

test('a command is published with the id that its echo is recognised by, and remembered', async () => {
  const all = start();
  const event = await all.service.execute(pause, ana, 'mine');
  expect(event).toMatchObject({ type: 'goal.paused', correlationId: 'mine', tenantId, data: { pausedBy: ana.id, actorName: ana.name, title: 'Increase revenue by 20 %' } });
  expect(all.bus.events).toEqual([event]);
  expect(statusOf(all)).toBe('paused');
  expect(all.service.snapshot().history.at(-1)).toEqual(event);
});

test('what could not be published has not happened', async () => {
  const all = start();
  const before = all.service.snapshot();
  all.bus.isThere = false;
  await expect(all.service.execute(pause, ana)).rejects.toThrow('the bus is away');
  await expect(all.service.act(undefined, 5, people)).rejects.toThrow('the bus is away');
  expect(all.service.snapshot()).toEqual(before);
});

test('refuses what it was told to, once', async () => {
  const all = start();
  all.service.refuseNext();
  await expect(all.service.execute(pause, ana)).rejects.toThrow(Refused);
  expect(all.bus.events).toEqual([]);
  await all.service.execute(pause, ana);
  expect(statusOf(all)).toBe('paused');
});

test('refuses what is about nothing', async () => {
  await expect(start().service.execute({ type: 'goal.paused', input: { goalId: 'elsewhere' } }, ana)).rejects.toThrow(Refused);
});

test('a burst is as large as it was asked for, ten events a call', async () => {
  const { service, bus } = start();
  expect(await service.act(undefined, 1_001, people)).toBe(1_001);
  expect(bus.events).toHaveLength(1_001);
  expect(bus.calls).toBe(101);
});

test('says that there is nothing to do', async () => {
  const { service } = start();
  await service.act('goal.activated', 1, people);
  expect(await service.act('goal.activated', 1, people)).toBe(0);
});
