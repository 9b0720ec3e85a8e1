/** Prints the figures of the client package: its size beside others', then what bench/main.ts measures. Asserts nothing. */
import { execFileSync, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, loadavg, totalmem } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const bench = import.meta.dirname;
const client = join(bench, '..');
const peersDir = join(bench, 'peers');
const out = join(client, '../.build/client-bench.mjs');
const silent = { stdio: 'ignore' };

const sizeOf = async (contents, resolveDir) => {
  const { outputFiles } = await build({ stdin: { contents, resolveDir, loader: 'ts' }, bundle: true, minify: true, format: 'esm', target: 'es2020', external: ['react', 'react-dom', 'sonner'], write: false, logLevel: 'silent' });
  const [{ contents: bytes }] = outputFiles;
  return [bytes.length, gzipSync(bytes, { level: 9 }).length];
};
const own = {
  'createRealtimeClient': "export { createRealtimeClient } from './src/index.ts'",
  'createRealtimeClient and shareTabs': "export { createRealtimeClient, shareTabs } from './src/index.ts'",
  'createRealtimeClient and ./react': "export { createRealtimeClient } from './src/index.ts'; export * from './src/react/index.ts'",
};
const peers = {
  partysocket: "export { default } from 'partysocket'",
  'react-use-websocket': "export { default } from 'react-use-websocket'",
  phoenix: "export { Socket } from 'phoenix'",
  'socket.io-client': "export { io } from 'socket.io-client'",
  'pusher-js': "export { default } from 'pusher-js'",
  centrifuge: "export { Centrifuge } from 'centrifuge'",
};
const row = (...cells) => console.log(`| ${cells.join(' | ')} |`);
const kB = (bytes) => (bytes / 1000).toFixed(1);

const [cpu] = cpus();
console.log(`${cpu.model}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, ${process.platform}/${process.arch}, Node ${process.version}; load average ${loadavg()[0].toFixed(1)}\n`);

let installed = true;
try {
  execFileSync('npm', ['ci', '--prefix', peersDir, '--ignore-scripts', '--no-audit', '--no-fund', '--legacy-peer-deps'], silent);
} catch {
  installed = false;
}
row('bundled with what it needs, but React', 'minified, kB', 'gzip -9, kB');
row('---', '---:', '---:');
for (const [name, code] of Object.entries(own)) row(name, ...(await sizeOf(code, client)).map(kB));
const versions = JSON.parse(readFileSync(join(peersDir, 'package.json'), 'utf8')).dependencies;
if (installed) for (const [name, code] of Object.entries(peers)) row(`${name} ${versions[name]}`, ...(await sizeOf(code, peersDir)).map(kB));
else console.log('\nThe peers could not be installed.');

await build({ entryPoints: [join(bench, 'main.ts')], bundle: true, platform: 'node', format: 'esm', target: 'node20', outfile: out, logLevel: 'warning' });
const { status } = spawnSync(process.execPath, ['--expose-gc', '--experimental-websocket', '--no-warnings', out], { stdio: 'inherit' });
process.exitCode = status ?? 1;
