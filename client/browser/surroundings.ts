/** What every test needs once: the stack, the pages, and Chromium. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
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
    /** URL of the demo's pages, as they are hosted. */
    demo: string;
    /** Where Chromium's DevTools listen. */
    devtools: string;
  }
}

interface Site {
  readonly url: string;
  readonly stop: () => void;
}

const types: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' };

/** Serves what `read` finds for a path; the page of any other has no script. */
const serve = async (read: (path: string) => string | undefined): Promise<Site> => {
  const server = createServer(({ url = '' }, answer) => {
    const { pathname } = new URL(url, 'http://localhost');
    const path = pathname.endsWith('/') ? `${pathname}index.html` : pathname;
    const content = read(path);
    answer.setHeader('Content-Type', (content !== undefined && types[extname(path)]) || 'text/html');
    answer.end(content ?? '<!doctype html><title>Elsewhere</title>');
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

/** The test page, with the client's sources and React's development build, which alone does what StrictMode says. */
const servePages = async (): Promise<Site> => {
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
  files.set('/index.html', '<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>Realtime</title><link rel="stylesheet" href="/page.css"><div id="root"></div><script type="module" src="/page.js"></script>');
  return serve((path) => files.get(path));
};

/** The demo, built as it is hosted. */
const serveDemo = async (): Promise<Site> => {
  const folder = join(import.meta.dirname, '../../.build/browsers/demo');
  const vite = spawn(process.execPath, ['node_modules/vite/bin/vite.js', 'build', '--outDir', folder, '--logLevel', 'error'], { cwd: join(import.meta.dirname, '../demo'), stdio: 'inherit' });
  await ended(vite);
  if (vite.exitCode) throw new Error('the demo cannot be built');
  return serve((path) => {
    const file = join(folder, path);
    return existsSync(file) ? readFileSync(file, 'utf8') : undefined;
  });
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
    const demo = await serveDemo();
    stops.push(demo.stop);
    const chromium = await startChromium();
    stops.push(chromium.stop);
    const { stack, stop: stopStack } = await startStack('stack');
    stops.push(stopStack);
    project.provide('pages', pages.url);
    project.provide('demo', demo.url);
    project.provide('devtools', chromium.devtools);
    project.provide('stack', stack.url);
  } catch (error) {
    await stop();
    throw error;
  }
  return stop;
}
