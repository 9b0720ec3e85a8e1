// Prints what each entry adds to an application: bundled, minified, and that compressed by gzip -9. In bytes.
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';

const entries = {
  core: "export { createRealtimeClient } from './src/index.ts'",
  'core and react': "export { createRealtimeClient } from './src/index.ts'; export * from './src/react/index.ts'",
  validateEvent: "export { validateEvent } from './src/index.ts'",
  'EventSource shim': "export { createEventSourceShim } from './src/index.ts'",
  'react-native': "export * from './src/react-native/index.ts'",
  'all but testing': "export * from './src/index.ts'; export * from './src/react/index.ts'; export * from './src/query/index.ts'; export * from './src/toasts/index.ts'; export * from './src/react-native/index.ts'",
  testing: "export * from './src/testing/index.ts'",
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
  console.log(name.padEnd(18), String(bytes.length).padStart(7), String(gzipSync(bytes, { level: 9 }).length).padStart(6));
}
