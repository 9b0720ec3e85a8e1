// Prints what each entry adds to an application: bundled, minified, gzip -9.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const entries = {
  core: "import { createRealtimeClient } from './src/index.ts'; globalThis.x = createRealtimeClient",
};
for (const [name, contents] of Object.entries(entries)) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2020',
    external: ['react', 'react-dom', 'sonner'],
    write: false,
  });
  const { contents: bytes } = outputFiles[0];
  console.log(name.padEnd(12), String(bytes.length).padStart(7), String(gzipSync(bytes, { level: 9 }).length).padStart(6));
}
