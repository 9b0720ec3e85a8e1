/**
 * The packed package in its users' hands: installed into applications, compiled, tested, bundled, and the bundles run against the mock server
 * that came with it. They are installed in .build/consumers; a line a step, "ok step (seconds)", or what the step said.
 *
 * To renew a lock file: copy ../.npmrc beside its package.json, `npm install --package-lock-only`, and take the copy away.
 */
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { JSDOM } from 'jsdom';
import { makePackage, tarball } from '../build/package.mjs';
import { extract } from './guides/extract.mjs';

const here = import.meta.dirname;
const out = join(here, '../../.build/consumers');
/** Milliseconds for what a page or a process shall show. */
const PATIENCE = 60_000;
let failed = false;

async function step(name, run) {
  const began = performance.now();
  const seconds = () => ((performance.now() - began) / 1000).toFixed(1) + ' s';
  try {
    await run();
    console.log(`ok ${name} (${seconds()})`);
  } catch ({ stdout = '', stderr = '', message }) {
    console.log(`FAILED ${name} (${seconds()}):\n${(stdout + stderr || message).replace(/^/gm, '  ')}`);
    failed = true;
  }
}

const application = (name) => {
  const folder = join(out, name);
  const run = (program, ...args) => promisify(execFile)(program, args, { cwd: folder, maxBuffer: 2 ** 24, env: { ...process.env, CI: '1', FORCE_COLOR: '0' } });
  const node = (script, ...args) => run(process.execPath, join(folder, script), ...args);
  /** Sources anew, dependencies only where the lock file is another one, the package anew. */
  const install = async () => {
    mkdirSync(folder, { recursive: true });
    for (const left of ['src', 'test', 'out']) rmSync(join(folder, left), { recursive: true, force: true });
    cpSync(join(here, name), folder, { recursive: true });
    cpSync(join(here, 'shared'), join(folder, 'src'), { recursive: true });
    cpSync(join(here, '../.npmrc'), join(folder, '.npmrc'));
    const lock = readFileSync(join(folder, 'package-lock.json'), 'utf8');
    const stamp = join(folder, 'node_modules/.installed');
    if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== lock) {
      await run('npm', 'ci', '--no-audit', '--no-fund');
      writeFileSync(stamp, lock);
    }
    rmSync(join(folder, 'node_modules/@purposepath'), { recursive: true, force: true });
    await run('npm', 'install', '--no-save', '--no-audit', '--no-fund', '--offline', tarball);
  };
  return { folder, node, install };
};

/** Runs a bundle as a page, on the mock server of the installed package, until the page shows what the server sent. */
async function runBundle({ folder }, bundle) {
  const mock = spawn(join(folder, 'node_modules/.bin/realtime'), ['mock', '--port=0', '--rate=0'], { stdio: ['pipe', 'pipe', 'inherit'] });
  let page;
  try {
    let said = '';
    for await (const chunk of mock.stdout.iterator({ destroyOnReturn: false })) if ((said += String(chunk)).includes('commands')) break;
    mock.stdout.resume();
    const url = `http://localhost:${/localhost:(\d+)/.exec(said)[1]}`;
    page = new JSDOM(`<div id="root" data-url="${url.replace('http', 'ws')}" data-token="${url}/_local/token?tenant=demo&amp;user=ana"></div>`, { url, runScripts: 'outside-only', pretendToBeVisual: true });
    page.window.fetch = (address) => fetch(address);
    page.window.eval(readFileSync(join(folder, bundle), 'utf8'));
    const shown = () => Object.fromEntries(['state', 'loads', 'stale', 'titles'].map((id) => [id, page.window.document.getElementById(id)?.textContent]));
    const until = async (wanted) => {
      for (const deadline = Date.now() + PATIENCE; Object.entries(wanted).some(([id, text]) => shown()[id] !== text); await new Promise((resolve) => setTimeout(resolve, 10))) {
        if (Date.now() > deadline) throw new Error(`the page shows ${JSON.stringify(shown())}, not ${JSON.stringify(wanted)}`);
      }
    };
    await until({ state: 'connected', loads: 'first', stale: 'all' });
    mock.stdin.write('emit goal.created {"goalId":"g1","title":"Ship"}\n');
    await until({ titles: 'Ship', stale: 'all goals/g1' });
  } finally {
    page?.window.close();
    mock.kill();
  }
}

await step('the package', makePackage);
const cra = application('cra');
await step('install: React 18.2, Jest 27, webpack 5', cra.install);
await step('TypeScript 4.9, moduleResolution node, with the examples of the guides for such applications', () => {
  extract(join(cra.folder, 'src/guides'), ['docs/MIGRATING-FROM-SSE.md', 'docs/recipes/testing.md']);
  return cra.node('node_modules/typescript/bin/tsc', '-p', '.');
});
await step('Jest 27', async () => {
  await cra.node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.emit.json', '--module', 'commonjs', '--outDir', 'out/cjs');
  await cra.node('node_modules/jest/bin/jest.js', '--env=jsdom', '--rootDir=out/cjs', '--testMatch=**/check.js', '--testMatch=**/*.test.js');
  await cra.node('node_modules/jest/bin/jest.js', '--env=node', '--rootDir=out/cjs', '--testMatch=**/server.js');
});
await step('webpack 5, and its bundle runs', async () => {
  await cra.node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.emit.json', '--outDir', 'out/esm');
  await cra.node('webpack.mjs');
  await runBundle(cra, 'out/webpack/main.js');
});

const modern = application('modern');
await step('install: React 19, Vitest 4, Vite 8', modern.install);
for (const version of ['5.4', '6.0']) {
  const tsc = `node_modules/typescript-${version}/bin/tsc`;
  await step(`TypeScript ${version}, bundler`, () => modern.node(tsc, '-p', '.', '--module', 'esnext', '--moduleResolution', 'bundler'));
  await step(`TypeScript ${version}, node16, ES module and CommonJS`, async () => {
    await modern.node(tsc, '-p', '.', '--module', 'node16', '--moduleResolution', 'node16');
    await modern.node(tsc, '-p', 'tsconfig.commonjs.json');
  });
}
await step('TypeScript 6.0, the types of React 18.2', () => modern.node('node_modules/typescript-6.0/bin/tsc', '-p', 'tsconfig.react-18.json'));
await step('both forms in one Node, and on a server', () => modern.node('interop.mjs'));
await step('Vitest 4', () => modern.node('node_modules/vitest/vitest.mjs', 'run'));
await step('Vite 8, and its bundle runs', async () => {
  await modern.node('node_modules/vite/bin/vite.js', 'build');
  await runBundle(modern, 'out/vite/main.js');
});

const guides = application('guides');
await step('install: the libraries that the guides name', guides.install);
await step('the examples of the guides, TypeScript 6.0', async () => {
  extract(join(guides.folder, 'out'));
  await guides.node('node_modules/typescript/bin/tsc', '-p', '.');
});
await step('the examples of the guides, run by Vitest 4', () => guides.node('node_modules/vitest/vitest.mjs', 'run'));
process.exitCode = failed ? 1 : 0;
