import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { domainService } from './domain/host.js';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * The board, and the matrix of states as a second page. The package is taken from its sources, so that a change there shows at once.
 *
 * With STACK_URL, the URL of a running local stack, this server is also the domain service whose events go through the stack.
 */
export default defineConfig({
  root: here('.'),
  // Hosted as static files, the pages may stand below any path.
  base: './',
  plugins: process.env.STACK_URL ? [domainService(process.env.STACK_URL)] : [],
  resolve: {
    alias: [
      { find: '@purposepath/realtime/styles.css', replacement: here('../src/ui/styles/index.css') },
      { find: /^@purposepath\/realtime\/([\w-]+)$/, replacement: here('../src/$1/index.ts') },
      { find: /^@purposepath\/realtime$/, replacement: here('../src/index.ts') },
    ],
    // The package's sources would find those beside them.
    dedupe: ['react', 'react-dom', 'sonner'],
  },
  // A browser that knows light-dark() and @layer knows all of it.
  build: { target: 'es2022', cssTarget: 'chrome123', outDir: here('../../.build/demo'), emptyOutDir: true, rolldownOptions: { input: [here('index.html'), here('matrix.html')] } },
});
