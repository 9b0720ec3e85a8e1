// What tsc can't see: promises that nobody awaits, what an `any` hides, and the rules of hooks.
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  {
    files: ['src/**/*.ts', 'src/**/*.tsx', 'test/**/*.ts', 'test/**/*.tsx', 'browser/**/*.ts', 'browser/**/*.tsx'],
    ignores: ['src/generated/**'],
    extends: [tseslint.configs.strictTypeChecked, reactHooks.configs.flat.recommended],
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'react-hooks/exhaustive-deps': 'error',
      // A const that a callback reads before it has a value would throw.
      'prefer-const': ['error', { ignoreReadBeforeAssign: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/restrict-plus-operands': ['error', { allowNumberAndString: true }],
      '@typescript-eslint/no-unused-vars': ['error', { args: 'all', argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      // Style, and other than this code's: a callback returns what a call returns, `a && b()` is a statement.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      // Objects here are closures without `this`; their interfaces write methods for the sake of their documentation.
      '@typescript-eslint/unbound-method': 'off',
      // The types of TypeScript 6 promise more than old browsers, React Native and servers have, and other than TypeScript 4.9's.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/no-unnecessary-type-arguments': 'off',
      // An interface asks for a promise that a fake need not wait for; and what is no promise is awaited to let promises go on.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/await-thenable': 'off',
      // For a developer's eyes, of a value that may be anything.
      '@typescript-eslint/no-base-to-string': 'off',
    },
  },
  {
    // A client's entry is changed after each render, by design: callbacks are read from it when they are called.
    files: ['src/react/RealtimeProvider.ts'],
    rules: { 'react-hooks/immutability': 'off', 'react-hooks/exhaustive-deps': 'off' },
  },
  {
    // A test throws what it can't have, and asks for what can't be.
    files: ['test/**'],
    rules: { '@typescript-eslint/no-unsafe-argument': 'off', '@typescript-eslint/no-unsafe-assignment': 'off', '@typescript-eslint/no-unused-vars': 'off' },
  },
);
