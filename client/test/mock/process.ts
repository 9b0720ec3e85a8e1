/** The mock server as its users start it: a process of its own, told by its standard input. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
// @ts-expect-error a script of the build, without types
import { bundleBin } from '../../build/bin.mjs';

const bundle = bundleBin as (outfile: string) => Promise<unknown>;

/** A folder with the program in it, and how to remove it. */
export async function buildMock(): Promise<{ readonly program: string; readonly folder: string; remove(): void }> {
  const folder = mkdtempSync(join(tmpdir(), 'realtime-mock-'));
  const program = join(folder, 'realtime.mjs');
  await bundle(program);
  return { program, folder, remove: () => rmSync(folder, { recursive: true }) };
}

/** A run of the program. */
export interface MockProcess {
  /** Of the socket: `ws://…`. */
  readonly url: string;
  readonly port: number;
  /** Sends a line to its standard input. */
  tell(line: string): void;
  /** Resolves once its output holds the text. */
  said(text: string): Promise<void>;
  token(tenantId: string, userId: string, expires?: string): Promise<string>;
  end(): Promise<void>;
}

/** Runs it until it ends; for what it refuses. */
export async function runMock(program: string, ...args: string[]): Promise<{ readonly code: number | null; readonly out: string; readonly err: string }> {
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  let out = '';
  let err = '';
  child.stdout.on('data', (chunk) => (out += String(chunk)));
  child.stderr.on('data', (chunk) => (err += String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { code, out, err };
}

/** Starts it on a free port. */
export async function startMock(program: string, ...args: string[]): Promise<MockProcess> {
  const child: ChildProcess = spawn(process.execPath, [program, 'mock', '--port', '0', ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let output = '';
  const waiting = new Set<() => void>();
  const hear = (chunk: unknown): void => {
    output += String(chunk);
    waiting.forEach((check) => check());
  };
  child.stdout?.on('data', hear);
  child.stderr?.on('data', hear);
  const ended = new Promise<void>((resolve) => child.on('close', () => resolve()));
  const said = (text: string): Promise<void> =>
    new Promise((resolve, reject) => {
      const check = (): void => {
        if (!output.includes(text)) return;
        waiting.delete(check);
        resolve();
      };
      waiting.add(check);
      check();
      void ended.then(() => reject(new Error(`ended without ${text}: ${output}`)));
    });
  await said('commands');
  const port = Number(/localhost:(\d+)/.exec(output)?.[1]);
  return {
    url: `ws://localhost:${port}`,
    port,
    said,
    tell: (line) => void child.stdin?.write(line + '\n'),
    token: async (tenantId, userId, expires = '1h') => {
      const response = await fetch(`http://localhost:${port}/_local/token?${String(new URLSearchParams({ tenant: tenantId, user: userId, expires }))}`);
      return ((await response.json()) as { token: string }).token;
    },
    end: () => {
      child.kill();
      return ended;
    },
  };
}
