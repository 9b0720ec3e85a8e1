/**
 * Makes the package as it is published, in .build/client: `package/`, and the tarball of it.
 *
 * Each module of src/ becomes one of dist/esm and one of dist/cjs, not a bundle: an application bundles anyway, takes what it uses, and the
 * entries share their modules in both forms. Beside `exports` every entry has a folder with a package.json, for tools that read none
 * (TypeScript's moduleResolution node, Jest 27).
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { build } from 'esbuild';
import { bundleBin } from './bin.mjs';
import { entries, folderOf } from './entries.mjs';
import { stylesheets } from './styles.mjs';

const client = join(import.meta.dirname, '..');
const src = join(client, 'src');
const out = join(client, '../.build/client');
export const packed = join(out, 'package');
export const tarball = join(out, 'purposepath-realtime.tgz');
const dist = join(packed, 'dist');

const write = (path, value) => {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, JSON.stringify(value, null, 2) + '\n');
};

async function modules() {
  const sources = entries.map(({ source }) => join(src, source + '.ts'));
  const { metafile } = await build({ entryPoints: sources, bundle: true, packages: 'external', format: 'esm', write: false, outdir: dist, metafile: true, absWorkingDir: client, logLevel: 'warning' });
  const entryPoints = Object.keys(metafile.inputs).map((input) => join(client, input));
  for (const format of ['esm', 'cjs']) {
    const { outputFiles } = await build({ entryPoints, format, target: 'es2020', outbase: src, outdir: join(dist, format), write: false, logLevel: 'warning' });
    for (const { path, text } of outputFiles) {
      mkdirSync(dirname(path), { recursive: true });
      // "use client" stands first, also where "use strict" does.
      writeFileSync(path, text.replace(/^("use strict";\n)("use client";\n)/, '$2$1'));
    }
  }
}

function declarations() {
  const tsc = join(client, 'node_modules/typescript/bin/tsc');
  const config = join(out, 'tsconfig.json');
  write(config, {
    extends: relative(out, join(client, 'tsconfig.json')),
    compilerOptions: { noEmit: false, emitDeclarationOnly: true, declaration: true, rootDir: src, outDir: join(dist, 'esm'), typeRoots: [join(client, 'node_modules/@types')] },
    include: [],
    files: entries.map(({ source }) => join(src, source + '.ts')),
  });
  execFileSync(process.execPath, [tsc, '-p', config], { stdio: 'inherit' });
  cpSync(join(dist, 'esm'), join(dist, 'cjs'), { recursive: true, filter: (path) => !path.endsWith('.js') });
}

function manifests(css) {
  const { private: _private, scripts: _scripts, devDependencies: _devDependencies, engines: _engines, overrides: _overrides, ...manifest } = JSON.parse(readFileSync(join(client, 'package.json'), 'utf8'));
  const at = (format, { source }, from = './') => ({ types: `${from}dist/${format}/${source}.d.ts`, default: `${from}dist/${format}/${source}.js` });
  const legacy = (entry, from) => ({ main: at('cjs', entry, from).default, module: at('esm', entry, from).default, types: at('cjs', entry, from).types });
  write(join(packed, 'package.json'), {
    ...manifest,
    // What the mock asks for; the build asks for more.
    engines: { node: '>=18.3' },
    ...legacy(entries[0], './'),
    exports: { ...Object.fromEntries(entries.map((entry) => [entry.name, { import: at('esm', entry), require: at('cjs', entry) }])), ...Object.fromEntries(css.map((name) => [`./${name}`, { types: `./${name}.d.ts`, default: `./${name}` }])), './package.json': './package.json' },
    // What only imports a stylesheet is not dropped.
    sideEffects: ['*.css'],
    bin: { realtime: './dist/realtime.mjs' },
  });
  // Nearer to the modules than the package's own, so it says again that an import alone does nothing.
  write(join(dist, 'cjs/package.json'), { type: 'commonjs', sideEffects: false });
  for (const entry of entries.slice(1)) write(join(packed, folderOf(entry), 'package.json'), { ...legacy(entry, '../'), sideEffects: false });
}

/** Makes both anew. */
export async function makePackage() {
  rmSync(packed, { recursive: true, force: true });
  mkdirSync(dist, { recursive: true });
  await modules();
  declarations();
  const css = Object.entries(await stylesheets());
  manifests(css.map(([name]) => name));
  for (const [name, text] of css) {
    // At the root, where tools that read no exports look for it, too.
    writeFileSync(join(packed, name), text);
    // TypeScript 6 asks for declarations of what is imported for its effect, too.
    writeFileSync(join(packed, `${name}.d.ts`), 'export {};\n');
  }
  await bundleBin(join(dist, 'realtime.mjs'));
  chmodSync(join(dist, 'realtime.mjs'), 0o755);
  cpSync(join(client, 'README.md'), join(packed, 'README.md'));
  const [{ filename }] = JSON.parse(execFileSync('npm', ['pack', '--json', '--pack-destination', out], { cwd: packed, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
  renameSync(join(out, filename), tarball);
}

if (import.meta.filename === process.argv[1]) await makePackage();
