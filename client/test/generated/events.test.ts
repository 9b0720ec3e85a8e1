import { describe, expect, expectTypeOf, test } from 'vitest';
import { actorOf, entityOf, EventTypes, goalIdOf, isCatalogueType, isEvent, timeOf } from '../../src/generated/events.js';
import type {
  CatalogueType,
  EntityRef,
  EventPattern,
  EventSelector,
  GoalCompletedData,
  RealtimeEvent,
  RealtimeEventMap,
  RealtimeEventType,
  Selected,
} from '../../src/generated/events.js';
import type { AuthMessage, ClientMessage, ControlMessage, ControlType, ServerReason } from '../../src/generated/protocol.js';
import { samples } from '../../src/generated/samples.js';
import { sentenceOf } from '../../src/generated/sentences.js';
import { validateEvent } from '../../src/generated/validate.js';

const event = <T extends CatalogueType>(type: T, data: Partial<RealtimeEventMap[T]> = {}): RealtimeEvent<T> =>
  ({
    type,
    timestamp: '2026-03-02T08:15:00.000Z',
    eventId: 'e1',
    tenantId: 'demo',
    sequence: 1772439300001,
    data: { ...samples[type], ...data },
  }) as unknown as RealtimeEvent<T>;

describe('the columns of the catalogue', () => {
  test('say what an event is about, who did it, for which goal and when', () => {
    const reassigned = event('action.reassigned');
    expect(entityOf(reassigned)).toEqual({ kind: 'action', id: 'action-91b0' });
    expect(actorOf(reassigned)).toBe('user-ana');
    expect(goalIdOf(reassigned)).toBe('goal-4f1c');
    expect(timeOf(reassigned)).toBe('2026-03-18T12:00:00.000Z');
    expect(entityOf(event('goal.activity.created'))).toEqual({ kind: 'goal', id: 'goal-4f1c' });
    expect(entityOf(event('measure.reading_created'))).toEqual({ kind: 'measure', id: 'measure-08ae' });
  });

  test('name a field with a value for every type', () => {
    for (const type of Object.values(EventTypes)) {
      const e: RealtimeEvent<CatalogueType> = event(type);
      expect([entityOf(e).id, actorOf(e), goalIdOf(e), timeOf(e)], type).not.toContain(undefined);
    }
  });

  test('leave a goal that was not sent undefined', () => {
    const { goalId, ...data } = samples['issue.created'];
    expect(goalIdOf({ ...event('issue.created'), data })).toBeUndefined();
  });

  test("say nothing about an application's own type", () => {
    const own = { ...event('goal.paused'), type: 'toString' } as unknown as RealtimeEvent;
    expect(isCatalogueType('toString')).toBe(false);
    expect([entityOf(own), actorOf(own), goalIdOf(own), timeOf(own)]).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe('isEvent', () => {
  test('looks at the envelope, and at the type when one is given', () => {
    expect(isEvent(event('goal.paused'))).toBe(true);
    expect(isEvent(event('goal.paused'), 'goal.resumed')).toBe(false);
  });

  test.each([
    ['null', null],
    ['text', '{}'],
    ['a control message', { type: 'pong', timestamp: '', data: {} }],
    ['an unknown type', { ...event('goal.paused'), type: 'goal.exploded' }],
    ['an ephemeral event', { ...event('goal.paused'), sequence: undefined }],
    ['a number beyond the safe ones', { ...event('goal.paused'), sequence: 2 ** 53 }],
    ['a list for data', { ...event('goal.paused'), data: [] }],
    ['no id', { ...event('goal.paused'), eventId: undefined }],
    ['no tenant', { ...event('goal.paused'), tenantId: 7 }],
    ['no time', { ...event('goal.paused'), timestamp: 0 }],
  ])('refuses %s', (_, value) => {
    expect(isEvent(value)).toBe(false);
  });
});

describe('validateEvent', () => {
  test('names every broken rule, in words and without the value', () => {
    const broken = event('action.status_changed', { newStatus: 'hunter2' as never, changedAt: 'hunter2', actionId: undefined as never });
    expect(validateEvent(broken)).toEqual({
      ok: false,
      issues: [
        { path: 'data.actionId', rule: 'required', message: 'data.actionId must be present' },
        { path: 'data.newStatus', rule: 'enum', message: 'data.newStatus must be one of todo, in_progress, completed, paused, blocked' },
        { path: 'data.changedAt', rule: 'timestamp', message: 'data.changedAt must be a timestamp such as 2026-03-02T08:15:00.000Z' },
      ],
    });
    const unassigned = event('action.reassigned', { previousAssignee: 7 as never });
    expect(validateEvent(unassigned)).toMatchObject({ issues: [{ message: 'data.previousAssignee must be a string of 1 to 256 characters, or null' }] });
  });

  test.each([[null], [undefined], ['{}'], [[]]])('refuses %j', (value) => {
    expect(validateEvent(value)).toMatchObject({ ok: false, issues: [{ path: '' }] });
  });

  // The server leaves out what a producer sent as null, so a null that arrives all the same breaks the type.
  test('reports null for an optional field', () => {
    expect(validateEvent(event('goal.paused', { reason: null as never }))).toMatchObject({ issues: [{ path: 'data.reason', rule: 'type' }] });
  });
});

describe('sentenceOf', () => {
  test("prefers the application's names", () => {
    expect(sentenceOf(event('action.completed'), { actor: 'You', entity: 'Call them' })).toBe('You completed Call them');
    expect(sentenceOf(event('goal.activity.created'), { entity: 'Retention', goal: 'Retention' })).toBe(
      'Ben Okafor posted on Retention: Focus on accounts over 50 seats',
    );
  });

  test('reads an enum as words and leaves text alone', () => {
    expect(sentenceOf(event('action.status_changed'), { entity: 'A' })).toBe('Ben Okafor set A to in progress');
    expect(sentenceOf(event('goal.activity.created', { title: 'Notes on user_id' }), { goal: 'G' })).toBe('Ben Okafor posted on G: Notes on user_id');
  });
});

test('types', () => {
  // Checking `type` narrows `data`, for every event.
  type Narrowed = { [T in RealtimeEventType]: Extract<RealtimeEvent, { type: T }>['data'] };
  expectTypeOf<Narrowed>().toEqualTypeOf<{ [T in RealtimeEventType]: Readonly<RealtimeEventMap[T]> }>();
  const narrow = (e: RealtimeEvent): string | undefined => {
    // @ts-expect-error an event of any type has no completedBy
    void e.data.completedBy;
    if (e.type !== 'goal.completed') return undefined;
    expectTypeOf(e.data).toEqualTypeOf<Readonly<GoalCompletedData>>();
    // @ts-expect-error data is read only
    e.data.completedBy = 'u';
    return e.data.completedBy;
  };
  expectTypeOf(narrow).toBeFunction();

  expectTypeOf<RealtimeEventType>().toEqualTypeOf<CatalogueType>();
  expectTypeOf<'goal.*' | 'goal.activity.*' | 'action.*' | 'issue.*' | 'measure.*'>().toExtend<EventPattern>();
  expectTypeOf<'issue.created' | 'issue.status_changed'>().toExtend<Selected<'issue.*'>>();
  expectTypeOf<Selected<'issue.*'>>().toExtend<`issue.${string}`>();
  expectTypeOf<Selected<'goal.activity.*' | 'goal.paused'>>().toEqualTypeOf<'goal.activity.created' | 'goal.paused'>();
  expectTypeOf<Selected<'*'>>().toEqualTypeOf<RealtimeEventType>();
  expectTypeOf<'user.*'>().not.toExtend<EventSelector>();
  expectTypeOf(entityOf(event('goal.paused'))).toEqualTypeOf<EntityRef>();

  const value: unknown = null;
  if (isEvent(value, 'goal.paused')) expectTypeOf(value).toEqualTypeOf<RealtimeEvent<'goal.paused'>>();
  if (isEvent(value)) expectTypeOf(value).toEqualTypeOf<RealtimeEvent>();

  type Data = { [T in ControlType]: Extract<ControlMessage, { type: T }>['data'] };
  expectTypeOf<Data['pong']['sequence']>().toEqualTypeOf<number>();
  expectTypeOf<Data['auth.error']['reason']>().toEqualTypeOf<ServerReason | undefined>();
  expectTypeOf<'a_later_reason'>().toExtend<ServerReason>();
  expectTypeOf<{ action: 'auth'; token: string }>().toExtend<AuthMessage>();
  expectTypeOf<{ action: 'auth' }>().not.toExtend<ClientMessage>();
});
