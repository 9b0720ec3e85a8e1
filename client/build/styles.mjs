/**
 * The stylesheet, from what src/ui/styles/index.css imports, in one file and minified: `styles.css` in a layer, so that any rule of an application
 * wins, and `styles.unlayered.css` with the same rules outside of it, for a page whose own reset stands in no layer and would win, too.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const source = join(import.meta.dirname, '../src/ui/styles/index.css');

/** Takes each file's rules out of the one layer that holds them all. */
const unwrap = {
  name: 'unwrap',
  setup: ({ onLoad }) =>
    onLoad({ filter: /\.css$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const contents = path === source ? text : text.replace(/^@layer rt \{\n(.*)^\}\n$/ms, '$1');
      if (contents.includes('@layer')) throw new Error(`${path}: its rules must stand in one @layer rt`);
      return { contents, loader: 'css' };
    }),
};

/** The text of one of them. */
const textOf = async (plugins) => {
  // Browsers that know light-dark() and @layer know all of it: nothing is written for older ones.
  const { outputFiles } = await build({ entryPoints: [source], bundle: true, minify: true, write: false, target: 'es2022', logLevel: 'warning', plugins });
  return outputFiles[0].text;
};

/** Each by the name under which it is published. */
export const stylesheets = async () => ({ 'styles.css': await textOf([]), 'styles.unlayered.css': await textOf([unwrap]) });

/** What the layered one weighs, in bytes: at most 3 kB compressed. */
export async function stylesSize() {
  const text = await textOf([]);
  return { name: 'styles.css', minified: Buffer.byteLength(text), gzip: gzipSync(text, { level: 9 }).length, most: 3_000 };
}
