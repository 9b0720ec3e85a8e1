/**
 * `make demo`: starts the local stack, and the page on top of it, until Ctrl-C. Arguments go to `rtlocal run`.
 *
 * PORT is the stack's port (default 5055), DEMO_PORT the page's (default 5173, or the next free one).
 */
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createServer } from 'vite';

const root = join(import.meta.dirname, '../..');
const log = join(root, '.build/demo.log');

const stack = spawn(join(root, '.build/rtlocal'), ['run', ...process.argv.slice(2)], { cwd: root, stdio: ['ignore', 'pipe', 'inherit'] });
const ended = new Promise((resolve) => stack.once('close', (code) => resolve(code ?? 1)));
stack.stdout.pipe(createWriteStream(log));

/** Its addresses, when it is ready; undefined where it ended before. */
const addresses = async () => {
  const found = {};
  for await (const line of createInterface({ input: stack.stdout })) {
    const [, name, url] = /^ +(socket|AWS APIs) +(\S+)/.exec(line) ?? [];
    if (name) found[name] = url;
    if (found.socket && found['AWS APIs']) return found;
  }
  return undefined;
};

let page;
let isEnding = false;
const end = () => {
  if (isEnding) return;
  isEnding = true;
  stack.kill('SIGTERM');
};
process.on('SIGINT', end).on('SIGTERM', end);
// However this ends, the stack does not outlive it.
process.on('exit', () => stack.kill('SIGTERM'));

const found = await addresses();
if (found && !isEnding) {
  stack.stdout.resume();
  Object.assign(process.env, { STACK_URL: found['AWS APIs'], VITE_FEATURE_REALTIME: 'true', VITE_REALTIME_WS_URL: found.socket });
  page = await createServer({ configFile: join(import.meta.dirname, 'vite.config.ts'), server: { host: '127.0.0.1', port: Number(process.env.DEMO_PORT ?? 5173) }, logLevel: 'warn' });
  await page.listen();
  console.log(`
The demo is ready: http://localhost:${page.httpServer.address().port}/

  ?server=fake  the same page without the stack
  ?share=tabs   one connection for all tabs
  matrix.html   every state of every component

The stack listens on ${found['AWS APIs']} and writes to ${log}. Ctrl-C ends both.
`);
}
const code = await ended;
await page?.close();
process.exit(isEnding ? 0 : code);
