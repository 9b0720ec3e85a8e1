/**
 * Makes the package and holds it to what it promises: its users' tools can read it (publint, attw), "use client" stands where it must, nothing is
 * in it that should not be, the mock runs from it, and its sizes keep their budgets. Prints the sizes; the last line is ok, or what is wrong.
 */
import { execFile, execFileSync, spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { entries } from './entries.mjs';
import { makePackage, packed, tarball } from './package.mjs';
import { sizes } from './sizes.mjs';

const problems = [];

const banners = () => {
  for (const { source, client = false } of entries) {
    for (const format of ['esm', 'cjs']) {
      const file = `dist/${format}/${source}.js`;
      if (readFileSync(join(packed, file), 'utf8').startsWith('"use client";') !== client) problems.push(`${file}: "use client" must ${client ? '' : 'not '}stand first`);
    }
  }
};
const contents = () => {
  const foreign = execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .filter((path) => !/^package\/(package\.json|README\.md|styles(\.unlayered)?\.css(\.d\.ts)?|[\w-]+\/package\.json|dist\/realtime\.mjs|dist\/cjs\/package\.json|dist\/(esm|cjs)\/[\w/-]+(\.d\.ts|\.js))$/.test(path));
  if (foreign.length) problems.push(`the tarball holds ${foreign.join(', ')}`);
  const readme = readFileSync(join(packed, 'README.md'), 'utf8');
  problems.push(...entries.slice(1).filter(({ name }) => !readme.includes(`\`${name}\``)).map(({ name }) => `README.md does not name ${name}`));
};
const readable = async () => {
  const { messages, pkg } = await publint({ pkgDir: packed, strict: true });
  problems.push(...messages.map((message) => 'publint: ' + formatMessage(message, pkg)));
};
const typed = async () => {
  const attw = join(import.meta.dirname, '../node_modules/@arethetypeswrong/cli/dist/index.js');
  await promisify(execFile)(process.execPath, [attw, tarball, '--no-color', '--no-emoji', '--exclude-entrypoints', './styles.css', './styles.unlayered.css']).catch(({ stdout, stderr }) => problems.push(`attw:\n${stdout}${stderr}`));
};
const mock = async () => {
  const began = performance.now();
  const child = spawn(process.execPath, [join(packed, 'dist/realtime.mjs'), 'mock', '--port', '0'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let said = '';
  for await (const chunk of child.stdout) {
    said += String(chunk);
    if (said.includes('commands')) break;
  }
  child.kill();
  if (!said.includes('is ready')) problems.push(`the mock does not start: ${said}`);
  return performance.now() - began;
};

await makePackage();
banners();
contents();
const [measured] = await Promise.all([sizes(), readable(), typed()]);
for (const { name, minified, gzip, most, today } of measured) {
  console.log(name.padEnd(30), String(minified).padStart(7), String(gzip).padStart(7), most ? `of ${most}${gzip > most ? ', OVER' : ''}` : '');
  if (gzip > (today || most)) problems.push(`${name}: ${gzip} bytes, ${today || most} are allowed`);
  if (today && gzip <= most) problems.push(`${name}: ${gzip} bytes keep the budget: take \`today\` out of build/sizes.mjs`);
}
console.log(`mock ready after ${Math.round(await mock())} ms`);
console.log(problems.join('\n') || 'ok');
process.exitCode = problems.length ? 1 : 0;
