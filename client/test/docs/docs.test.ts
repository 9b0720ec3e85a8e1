import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { EventTypes } from '../../src/index.js';
import { samples } from '../../src/generated/samples.js';
import { declarationsOf } from './declarations.js';
import type { Option } from './declarations.js';
import { brokenLinksOf, namesIn, pages, rowsOf, sectionsOf } from './page.js';
import type { Section } from './page.js';

const HOOKS = 'docs/HOOKS.md';
const CLIENT = 'docs/CLIENT.md';
const ENTRIES = ['react', 'ui', 'toasts', 'query', 'debug'];
const declared = declarationsOf(['', ...ENTRIES]);
const section = (page: string, heading: string): Section => {
  const found = sectionsOf(page).find((one) => one.heading === heading);
  if (!found) throw new Error(`${page} has no section ${heading}`);
  return found;
};

test.each(pages())('the links of %s lead somewhere', (page) => {
  expect(brokenLinksOf(page)).toEqual([]);
});

/** Holds the rows of a table to options: the same names, in an order that is for the reader, and the defaults that they declare. */
function expectOptions(rows: readonly (readonly string[])[], options: readonly Option[]): void {
  const inTable = rows.flatMap(([names, value = '']) => namesIn(names).map((name) => ({ name, value: value.replace(/`/g, '') })));
  expect(inTable.map(({ name }) => name).sort()).toEqual(options.map(({ name }) => name).sort());
  for (const { name, defaultValue } of options) {
    const value = inTable.find((one) => one.name === name)?.value;
    // A unit may follow.
    if (defaultValue && !/^undefined/.test(defaultValue)) expect(`${name}: ${String(value)}`).toContain(`${name}: ${defaultValue}`);
    else expect([name, value]).toEqual([name, value === 'undefined' ? value : '–']);
  }
}

describe(HOOKS, () => {
  const sections = sectionsOf(HOOKS);
  // A component can be the default export besides.
  const values = new Set(ENTRIES.flatMap(declared.values));

  test('has a section for every hook, component and function, and no other', () => {
    const described = sections.map(({ heading }) => heading).filter((heading) => /^(use|wire|realtime|invalidate)[A-Z]|^rule$|^[A-Z]\w+[A-Z]\w+$/.test(heading));
    expect([...described].sort()).toEqual([...values].sort());
  });

  const tables = sections.flatMap((one) => {
    const [, type] = /^(?:Options|Props): `(\w+)`$/m.exec(one.text) || [];
    return type ? [[type, one] as const] : [];
  });
  test('has tables of options', () => {
    expect(tables.length).toBeGreaterThan(10);
  });
  test.each(tables)('the options of %s are those of its declaration, with their defaults', (type, one) => {
    expectOptions(rowsOf(one), declared.options(type));
  });
});

test('the variables of the look are those of the stylesheet', () => {
  const sheet = readFileSync(join(import.meta.dirname, '../../src/ui/styles/tokens.css'), 'utf8');
  const rows = rowsOf(section(HOOKS, 'The look'));
  expect(rows.length).toBeGreaterThan(4);
  for (const [names, values = ''] of rows)
    namesIn(names).forEach((name, i) => {
      const value = values.split(/, (?=#)/)[i]?.replace(/, …$/, '') ?? '';
      expect([name, [`${name}: ${value}`, `${name}: light-dark(${value}`].some((text) => sheet.includes(text))]).toEqual([name, true]);
    });
});

describe(CLIENT, () => {
  test('the options of the provider are those of its declaration, with their defaults', () => {
    const options = declared.options('RealtimeOptions');
    const others = declared.options('RealtimeProviderProps').filter(({ name }) => name !== 'children' && !options.some((option) => option.name === name));
    expectOptions(rowsOf(section(CLIENT, 'The provider')), [...options, ...others]);
  });

  const firstNames = (heading: string): readonly string[] => rowsOf(section(CLIENT, heading)).map(([cell]) => namesIn(cell)[0] ?? '');
  test('every reason of a resync, every reason for a token and every code of an error has its row', () => {
    expect([...firstNames('Loading state')].sort()).toEqual([...declared.literals('ResyncReason')].sort());
    expect([...firstNames('Tokens')].sort()).toEqual([...declared.literals('TokenReason')].sort());
    const codes = rowsOf(section(CLIENT, 'Errors')).flatMap(([cell = '']) => namesIn(cell).filter((name) => /^[A-Z_]+$/.test(name)));
    expect([...new Set(codes)].sort()).toEqual([...declared.literals('ErrorCode')].sort());
  });

  test('what a ping costs is computed by its formula', () => {
    const rows = rowsOf(section(CLIENT, 'What a ping costs'));
    const number = (cell = ''): number => Number(cell.replace(/[^\d.]/g, ''));
    const prices = rows.filter(([, cell = '']) => cell.includes('$'));
    const total = number(prices[prices.length - 1]?.[1]);
    expect(prices.slice(0, -1).reduce((sum, [, cell]) => sum + number(cell), 0)).toBeCloseTo(total, 10);
    const intervals = rows.filter(([cell = '']) => / s\b/.test(cell));
    expect(intervals.length).toBeGreaterThan(4);
    for (const [interval = '', pings, dollars, dead] of intervals) {
      const seconds = parseInt(interval, 10);
      const expected = (1000 * 8 * 22 * 3600) / (0.95 * seconds);
      expect(number(pings)).toBe(Math.round(expected));
      expect(number(dollars)).toBeCloseTo((expected * total) / 1e6, 2);
      expect(number(dead)).toBe(seconds + 10);
    }
  });
});

test('the names and fields of docs/MIGRATING-FROM-SSE.md are those of the catalogue', () => {
  const rows = rowsOf(section('docs/MIGRATING-FROM-SSE.md', 'Names and fields')).map((row) => row.map(namesIn));
  const snake = (name: string): string => name.replace(/[A-Z]/g, (letter) => '_' + letter.toLowerCase());
  const everywhere = ['tenantId', 'goalTitle', 'actorName'];
  expect(rows.map(([, type]) => type?.[0])).toEqual(Object.values(EventTypes));
  for (const [before, type, fields = []] of rows) {
    const name = type?.[0] as keyof typeof samples;
    expect(before?.[0]).toBe(name.replace(/[._]/g, '-'));
    // A sample has the fields that are required, and some of the others.
    const inSample = Object.keys(samples[name]).filter((field) => /[A-Z]/.test(field) && !everywhere.includes(field));
    expect(fields).toEqual(expect.arrayContaining(inSample.map(snake)));
  }
});
