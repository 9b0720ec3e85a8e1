/** The one stylesheet, `@purposepath/realtime/styles.css`: what src/ui/styles/index.css imports, in one file and minified. */
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const source = join(import.meta.dirname, '../src/ui/styles/index.css');

/** Its text. */
export async function styles() {
  // Browsers that know light-dark() and @layer know all of it: nothing is written for older ones.
  const { outputFiles } = await build({ entryPoints: [source], bundle: true, minify: true, write: false, target: 'es2022', logLevel: 'warning' });
  return outputFiles[0].text;
}

/** What it weighs, in bytes: at most 3 kB compressed. */
export async function stylesSize() {
  const text = await styles();
  return { name: 'styles.css', minified: Buffer.byteLength(text), gzip: gzipSync(text, { level: 9 }).length, most: 3_000 };
}
