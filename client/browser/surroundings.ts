/** What every test needs once: the stack, the pages, and Chromium. */
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { build } from 'esbuild';
import type { TestProject } from 'vitest/node';
import { ended, said } from './process.js';
import { startStack } from './stack.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** URL of the stack. */
    stack: string;
    /** URL of the test page; `/elsewhere` beside it is one without a script. */
    pages: string;
    /** Where Chromium's DevTools listen. */
    devtools: string;
  }
}

/** The test page, with the client's sources and React's development build, which alone does what StrictMode says. */
const servePages = async (): Promise<{ readonly url: string; readonly stop: () => void }> => {
  const { outputFiles } = await build({
    entryPoints: [join(import.meta.dirname, 'page/page.tsx')],
    bundle: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"development"' },
    outdir: '/',
    write: false,
  });
  const files = new Map(outputFiles.map(({ path, text }) => [path, text]));
  files.set('/', '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Realtime</title><link rel="stylesheet" href="/page.css"><div id="root"></div><script type="module" src="/page.js"></script>');
  const types: Readonly<Record<string, string>> = { '.js': 'text/javascript', '.css': 'text/css', '': 'text/html; charset=utf-8' };
  const server = createServer(({ url = '/' }, answer) => {
    answer.setHeader('Content-Type', types[extname(url)] || 'text/plain');
    answer.end(files.get(url) || '<!doctype html><title>Elsewhere</title>');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://localhost:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      server.closeAllConnections();
    },
  };
};

/**
 * Started here and not by Playwright, which would tell each page that it is always visible: then it can't be frozen. Nor does this one go without the back-forward cache, as Playwright's does.
 */
const startChromium = async (): Promise<{ readonly devtools: string; readonly stop: () => Promise<void> }> => {
  const profile = mkdtempSync(join(tmpdir(), 'realtime-chromium-'));
  const child = spawn(
    process.env.CHROMIUM || 'chromium',
    [
      '--headless',
      '--no-sandbox',
      '--remote-debugging-port=0',
      '--remote-debugging-pipe',
      `--user-data-dir=${profile}`,
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--disable-dev-shm-usage',
      // Nothing leaves this machine, whatever the browser would like to fetch.
      '--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost, EXCLUDE 127.0.0.1',
      'about:blank',
    ],
    // The two last ones are DevTools' pipe. Nobody uses it, but with it Chromium ends when this process does, however that comes.
    { stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'pipe'] },
  );
  const [, devtools = ''] = await said(child, /DevTools listening on (\S+)/);
  return {
    devtools,
    stop: async () => {
      child.kill('SIGTERM');
      await ended(child);
      // Its processes end one after the other, and write until then.
      await rm(profile, { recursive: true, force: true, maxRetries: 50 });
    },
  };
};

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const stops: (() => unknown)[] = [];
  const stop = async (): Promise<void> => {
    for (const end of stops.reverse()) await end();
  };
  try {
    const pages = await servePages();
    stops.push(pages.stop);
    const chromium = await startChromium();
    stops.push(chromium.stop);
    const { stack, stop: stopStack } = await startStack('stack');
    stops.push(stopStack);
    project.provide('pages', pages.url);
    project.provide('devtools', chromium.devtools);
    project.provide('stack', stack.url);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
