/** Reads transcripts of the protocol (client/transcripts) and plays them to whatever speaks it. */
import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'vitest';

type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

interface Published {
  readonly type: string;
  readonly data: Json;
  readonly eventId?: string;
  readonly occurredAt?: string;
  readonly correlationId?: string;
}

type Step =
  | { readonly open: string }
  | { readonly close: string }
  | { readonly closed: string; readonly code: number }
  | { readonly from: string; readonly send: Json }
  | { readonly from: string; readonly text: string }
  | { readonly to: string; readonly get: readonly JsonObject[] }
  | { readonly publish: Published };

export interface Transcript {
  readonly name: string;
  readonly about: string;
  readonly limits?: { readonly [name: string]: number };
  readonly let?: JsonObject;
  readonly steps: readonly Step[];
}

const folder = new URL('../../transcripts/', import.meta.url);
export const transcripts: readonly Transcript[] = readdirSync(folder)
  .filter((file) => file.endsWith('.json'))
  .map((file) => ({ name: file.replace('.json', ''), ...(JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as Omit<Transcript, 'name'>) }));

/** One connection of a client. */
export interface Line {
  send(text: string): void;
  close(): void;
  readonly frames: JsonObject[];
  /** Once it is closed. */
  code?: number | undefined;
}

/** What speaks the protocol's server side. */
export interface Subject {
  open(): Promise<Line>;
  publish(event: Published & { readonly data: JsonObject }): void;
  token(tenantId: string, userId: string, lifeMs: number): Promise<string>;
  /** Lets time pass; false = long enough. */
  pass(): Promise<boolean>;
}

const UNITS: { readonly [unit: string]: number } = { s: 1000, h: 3_600_000 };
const placeholder = (value: Json): string | undefined => (typeof value === 'string' ? /^<(.+)>$/.exec(value)?.[1] : undefined);
const counted = (name: string): readonly [string, number] => {
  const [, base = name, by = '0'] = /^(.+)([+-]\d+)$/.exec(name) || [];
  return [base, Number(by)];
};

/** Plays one transcript. Throws, as vitest's expectations do, at the first step that goes otherwise. */
export async function play({ steps, let: given }: Transcript, tenantId: string, subject: Subject): Promise<void> {
  const names = new Map<string, Json>([['tenant', tenantId]]);
  for (const [name, value] of Object.entries(given || {})) names.set(name, value);
  const lines = new Map<string, Line>();
  const lineOf = (name: string): Line => {
    const line = lines.get(name);
    if (!line) throw new Error(`the transcript has not opened ${name}`);
    return line;
  };

  const valueOf = async (value: Json): Promise<Json> => {
    const name = placeholder(value);
    if (name !== undefined) {
      const [, user = '', life = '1', unit = 'h', other] = /^token (\w+)(?: (-?\d+)([sh]))?(?: of (\w+))?$/.exec(name) || [];
      if (user) return subject.token(other ? tenantId + '-' + other : tenantId, user, Number(life) * (UNITS[unit] as number));
      const [base, by] = counted(name);
      const known = names.get(base);
      if (known === undefined) throw new Error(`${base} has no value yet`);
      return by ? (known as number) + by : valueOf(known);
    }
    if (Array.isArray(value)) return Promise.all((value as readonly Json[]).map(valueOf));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, member]) => [key, await valueOf(member)] as const)));
  };

  /** What is wrong with a value, or undefined. Gives values to names that have none. */
  const differs = (want: Json, got: Json | undefined, at: string): string | undefined => {
    const wrong = (expected: string): string => `${at || 'the message'} is ${JSON.stringify(got)}, not ${expected}`;
    const name = placeholder(want);
    if (name === 'text') return typeof got === 'string' && got ? undefined : wrong('a text');
    const [, after, kept] = /^time( after)?(?: (\w+))?$/.exec(name || '') || [];
    if (name === 'time' || kept) {
      if (typeof got !== 'string' || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/.test(got)) return wrong('a timestamp of the protocol');
      if (after) return got > String(names.get(kept as string)) ? undefined : wrong('later than ' + String(names.get(kept as string)));
      if (kept) names.set(kept, got);
      return undefined;
    }
    if (name !== undefined) {
      const [base, by] = counted(name);
      const known = names.get(base);
      if (known === undefined && !by && got !== undefined) return void names.set(base, got);
      if (by) return got === (known as number) + by ? undefined : wrong(String((known as number) + by));
      return known === undefined ? wrong('there') : differs(known, got, at);
    }
    if (Array.isArray(want)) {
      if (!Array.isArray(got) || got.length !== want.length) return wrong(`an array of ${want.length}`);
      return firstOf((want as readonly Json[]).map((item, i) => differs(item, got[i] as Json, `${at}[${i}]`)));
    }
    if (typeof want !== 'object' || want === null) return got === want ? undefined : wrong(JSON.stringify(want));
    if (typeof got !== 'object' || got === null || Array.isArray(got)) return wrong('an object');
    const extra = Object.keys(got).filter((key) => !(key in want));
    if (extra.length) return `${at || 'the message'} has ${extra.join(', ')}: ${JSON.stringify(got)}`;
    return firstOf(Object.entries(want).map(([key, member]) => differs(member, (got as JsonObject)[key], at ? at + '.' + key : key)));
  };

  const isEvent = ({ type, eventId }: JsonObject): boolean => eventId !== undefined || type === 'batch';
  const receive = async (line: Line, wanted: readonly JsonObject[]): Promise<string | undefined> => {
    while (line.frames.length < wanted.length) {
      if (line.code !== undefined || !(await subject.pass())) return `${line.code === undefined ? 'nothing more comes' : 'closed with ' + line.code} after ${JSON.stringify(line.frames)}`;
    }
    const got = line.frames.splice(0, wanted.length);
    return firstOf(
      [true, false].flatMap((events) => {
        const these = got.filter((message) => isEvent(message) === events);
        const those = wanted.filter((message) => isEvent(message) === events);
        if (these.length !== those.length) return `got ${JSON.stringify(got)}`;
        return those.map((message, i) => differs(message, these[i], ''));
      }),
    );
  };

  for (const [i, step] of steps.entries()) {
    let wrong: string | undefined;
    if ('open' in step) lines.set(step.open, await subject.open());
    else if ('close' in step) lineOf(step.close).close();
    else if ('publish' in step) subject.publish((await valueOf(step.publish as unknown as Json)) as unknown as Published & { data: JsonObject });
    else if ('from' in step) lineOf(step.from).send('text' in step ? step.text : JSON.stringify(await valueOf(step.send)));
    else if ('to' in step) wrong = await receive(lineOf(step.to), step.get);
    else {
      const line = lineOf(step.closed);
      while (line.code === undefined && (await subject.pass()));
      if (line.code !== step.code || line.frames.length) wrong = `closed with ${line.code} after ${JSON.stringify(line.frames)}`;
    }
    expect(wrong, `step ${i + 1}: ${JSON.stringify(step)}`).toBeUndefined();
  }
  for (const line of lines.values()) line.close();
}

const firstOf = (problems: readonly (string | undefined)[]): string | undefined => problems.find((problem) => problem !== undefined);
