export default {
  logLevel: 'warn',
  esbuild: { jsx: 'automatic' },
  build: { outDir: 'out/vite', rollupOptions: { input: 'index.html', output: { entryFileNames: 'main.js' } } },
  test: { globals: true, environment: 'jsdom', include: ['src/**/check.tsx'] },
};
