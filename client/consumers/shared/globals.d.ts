// The runner's, Jest's or Vitest's, as far as check.tsx and the guide on tests use them: their own types don't compile on every TypeScript.
declare function test(name: string, run: () => unknown): void;
declare function afterEach(run: () => unknown): void;
declare function expect(value: unknown): { toBe(other: unknown): void; toEqual(other: unknown): void; toMatch(pattern: RegExp): void; toBeNull(): void };
