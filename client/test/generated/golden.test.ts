import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { EventTypes, isEvent } from '../../src/generated/events.js';
import type { CatalogueType, RealtimeEvent } from '../../src/generated/events.js';
import { samples } from '../../src/generated/samples.js';
import { sentenceOf, titleOf } from '../../src/generated/sentences.js';
import { validateEvent } from '../../src/generated/validate.js';

/** One change to a sample, and the verdict that Go, the JSON Schemas and validateEvent all give on it. */
interface Mutation {
  readonly type: CatalogueType;
  readonly field: string;
  readonly set?: unknown;
  readonly path?: string;
  readonly rule?: string;
}
interface Golden {
  readonly samples: { readonly [T in CatalogueType]: RealtimeEvent<T> };
  readonly sentences: { readonly [T in CatalogueType]: { readonly title: string; readonly named: string; readonly nameless: string } };
  readonly payloads: readonly Mutation[];
  readonly envelopes: readonly Mutation[];
}
const golden = JSON.parse(readFileSync(new URL('golden.json', import.meta.url), 'utf8')) as Golden;
const types = Object.values(EventTypes);

const change = (value: object, { field, ...mutation }: Mutation): object => {
  const { [field]: _, ...rest } = value as Record<string, unknown>;
  return 'set' in mutation ? { ...rest, [field]: mutation.set } : rest;
};
const verdict = (value: unknown): readonly (readonly [string, string])[] => {
  const result = validateEvent(value);
  return result.ok ? [] : result.issues.map(({ path, rule }) => [path, rule]);
};

test('the golden file knows every type, and enough changes to prove something', () => {
  expect(Object.keys(golden.samples)).toEqual(types);
  expect(golden.payloads.length).toBeGreaterThan(500);
  expect(golden.envelopes.length).toBeGreaterThan(20);
});

describe.each(types)('%s', (type) => {
  const sample = golden.samples[type];

  test('its sample is an event', () => {
    expect(validateEvent(sample)).toEqual({ ok: true, event: sample });
    expect(isEvent(sample)).toBe(true);
    expect(isEvent(sample, type)).toBe(true);
    expect(samples[type]).toEqual(sample.data);
  });

  test('every change to its payload gets the verdict Go gives', () => {
    for (const mutation of golden.payloads.filter((m) => m.type === type)) {
      const expected = mutation.rule ? [['data.' + mutation.path, mutation.rule]] : [];
      expect(verdict({ ...sample, data: change(sample.data, mutation) }), JSON.stringify(mutation).slice(0, 200)).toEqual(expected);
    }
  });

  test('its title and sentence read as in docs/EVENTS.md, with and without names', () => {
    expect(titleOf(sample)).toBe(golden.sentences[type].title);
    expect(sentenceOf(sample)).toBe(golden.sentences[type].named);
    let nameless: RealtimeEvent<CatalogueType> = sample;
    for (const field of ['actorName', 'title', 'goalTitle']) {
      const result = validateEvent({ ...nameless, data: change(nameless.data, { type, field }) });
      if (result.ok) nameless = result.event;
    }
    expect(sentenceOf(nameless)).toBe(golden.sentences[type].nameless);
  });
});

test('every change to an envelope gets the verdict the schema gives', () => {
  for (const mutation of golden.envelopes) {
    const expected = mutation.rule ? [[mutation.path, mutation.rule]] : [];
    expect(verdict(change(golden.samples[mutation.type], mutation)), JSON.stringify(mutation).slice(0, 200)).toEqual(expected);
  }
});
