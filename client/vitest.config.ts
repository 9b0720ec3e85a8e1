import { defineConfig } from 'vitest/config';

// The tests of consumers/ and browser/ run where what they need is installed.
export default defineConfig({ test: { include: ['test/**/*.test.{ts,tsx}'] } });
