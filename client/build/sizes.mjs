/**
 * What the package adds to an application: bundled, minified, gzip -9, in bytes.
 *
 * - `most`: what it may add (kB = 1,000 bytes).
 * - `today`: where it adds more, the bound that holds until it adds no more than `most`; it only ever goes down.
 */
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { entries } from './entries.mjs';
import { packed } from './package.mjs';
import { stylesSize } from './styles.mjs';

const all = ({ name }) => `export * from '@purposepath/realtime${name.slice(1)}';`;
const client = "export { createRealtimeClient } from '@purposepath/realtime';";
const shipped = entries.filter(({ tools }) => !tools);
const bundles = [
  { name: 'core: createRealtimeClient', code: client, most: 6_000, today: 8_620 },
  { name: 'core and all of ./react', code: client + all({ name: './react' }), most: 8_000, today: 10_350 },
  { name: 'every entry but ./testing and ./debug', code: shipped.map((entry, i) => `export * as e${i} from '@purposepath/realtime${entry.name.slice(1)}';`).join(''), most: 15_000, today: 29_120 },
  ...shipped.map((entry) => ({ name: `  ${entry.name} alone`, code: all(entry) })),
];

/** Sizes in the order of the list above. */
export async function sizes() {
  return Promise.all([
    ...bundles.map(async ({ name, code, ...bounds }) => {
      const { outputFiles } = await build({
        stdin: { contents: code, resolveDir: packed },
        alias: { '@purposepath/realtime': packed },
        bundle: true,
        minify: true,
        format: 'esm',
        target: 'es2020',
        external: ['react', 'react-dom', 'sonner'],
        write: false,
        logLevel: 'error',
      });
      const [{ contents }] = outputFiles;
      return { name, minified: contents.length, gzip: gzipSync(contents, { level: 9 }).length, ...bounds };
    }),
    stylesSize(),
  ]);
}
