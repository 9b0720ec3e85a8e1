/** Breaks the client's rules one by one: the simulation, or its calm day, must find each. */
import { readFileSync } from 'node:fs';
import { build } from 'esbuild';
import { describe, expect, test } from 'vitest';
import { calm } from './calm.js';
import { play, scenarioOf } from './world.js';
import type { Create } from './world.js';

interface Mutation {
  readonly rule: string;
  readonly file: 'machine' | 'connection' | 'renewal' | 'messages' | 'recovery';
  readonly from: string;
  readonly to: string;
}

const mutations: readonly Mutation[] = [
  { rule: 'an event at or below the position is dropped', file: 'recovery', from: 's.count.duplicates++;', to: 'hand(s, event);' },
  { rule: 'an event further on is held', file: 'recovery', from: 'n === s.position + 1', to: 'n > s.position' },
  { rule: 'held events follow when the gap has closed', file: 'recovery', from: '(e = s.held.get(at + 1))', to: '(e = undefined as never)' },
  { rule: 'an answer moves no position', file: 'recovery', from: '  s.head = Math.max(s.head, sequence);\n};', to: '  s.head = Math.max(s.head, sequence);\n  if (recovered) s.position = sequence;\n};' },
  { rule: 'only an answer to the present position can move it', file: 'recovery', from: 'if (after === s.position) {', to: 'if (after !== undefined) {' },
  { rule: 'what lies behind the known head is asked for', file: 'recovery', from: 'timers.heal = s.t + ', to: 'timers.heal = 1e9 + s.t + ' },
  { rule: 'events wait until state is loaded', file: 'recovery', from: 'if (s.hold) s.queue', to: 'if (s.hold < 0) s.queue' },
  { rule: 'what waited is handed on', file: 'recovery', from: 'return queue.slice();', to: 'return [];' },
  { rule: 'a new session forgets the position', file: 'recovery', from: 's.position = position;', to: 's.position = position ?? s.position;' },
  { rule: 'a new session forgets what is held', file: 'recovery', from: '  s.held = new Map();\n  s.queue = [];\n  s.more', to: '  s.more' },
  { rule: 'a silent socket is given up', file: 'machine', from: 'else if (ping.tries) {', to: 'else if (ping.tries > 99) {' },
  { rule: 'an open socket is not believed after sleep', file: 'machine', from: 's.t - due > 15_000', to: 'false' },
  { rule: 'what a wake finds dead is replaced at once', file: 'connection', from: 'atOnce ? 0 :', to: '' },
  { rule: 'a lost connection is made anew', file: 'connection', from: 's.timers.retry = s.t +', to: 's.timers.more = s.t +' },
  { rule: 'a connection that is alive is not asked twice at once', file: 'messages', from: 'answer(s, awaited ? data : { ...data, more: false });', to: 'link.ping = undefined; answer(s, data);' },
  { rule: 'a predecessor is closed', file: 'machine', from: 's.old && drop(s, s.old);', to: '' },
  { rule: 'a token in flight is dropped with its session', file: 'machine', from: 'token?.id !== input.id', to: '!token' },
  { rule: 'a ping goes out at least every 8 minutes', file: 'connection', from: 's.timers.ping = s.t + (', to: 's.timers.ping = s.t + 300_000 + (' },
  { rule: 'a connection is handed over before its two hours are up', file: 'messages', from: 'if (rotate) timers.rotate', to: 'if (!rotate) timers.rotate' },
  { rule: 'a token is renewed before it ends', file: 'messages', from: 'timers.renew = s.t + Math.max(1000, life * 0.8)', to: 'timers.renew = s.t + Math.max(1000, life * 1.8)' },
];

/** The client with one rule broken. */
const mutant = async ({ file, from, to }: Mutation): Promise<Create> => {
  const path = new URL(`../../src/core/${file}.ts`, import.meta.url).pathname;
  const source = readFileSync(path, 'utf8');
  if (source.split(from).length !== 2) throw new Error(`${file}.ts does not have exactly one: ${from}`);
  const { outputFiles } = await build({
    entryPoints: [new URL('../../src/core/client.ts', import.meta.url).pathname],
    bundle: true,
    format: 'esm',
    write: false,
    plugins: [{ name: 'mutate', setup: (b) => b.onLoad({ filter: new RegExp(`/core/${file}\\.ts$`) }, () => ({ contents: source.replace(from, () => to), loader: 'ts' })) }],
  });
  const code = Buffer.from((outputFiles[0] as { contents: Uint8Array }).contents).toString('base64');
  return ((await import(/* @vite-ignore */ `data:text/javascript;base64,${code}`)) as { createRealtimeClient: Create }).createRealtimeClient;
};

const whole: Mutation = { rule: 'none', file: 'machine', from: 'export const step', to: 'export const step' };

test('nothing is found where no rule is broken', async () => {
  expect(await calm(await mutant(whole), 4)).toBeUndefined();
});

describe('a broken rule is found', () => {
  test.each(mutations.map((mutation) => [mutation.rule, mutation] as const))('%s', { timeout: 60_000 }, async (_, mutation) => {
    const create = await mutant(mutation);
    let found = await calm(create, 4);
    let seeds = 0;
    while (found === undefined && seeds < 300) found = (await play(create, scenarioOf(++seeds))).broken;
    if (process.env.VERBOSE) console.log(`${mutation.rule}: after ${seeds} seeds: ${found}`);
    expect(found).toBeDefined();
  });
});
