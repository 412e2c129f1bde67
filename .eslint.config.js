import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'var/', 'public/', 'reports/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { project: './test/tsconfig.json' } },
    rules: {
      // Numbers in template strings are plain text in every message we write.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Koa handlers and test callbacks may be async only because the interface is.
      '@typescript-eslint/require-await': 'off',
      // `describe('…', () => it(…))` and one-line event handlers return void on purpose.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
      eqeqeq: 'error',
    },
  },
  {
    files: ['app/**/*.ts', 'db/**/*.ts'],
    ignores: ['app/timing.ts'],
    rules: {
      // Waiting has one module: what it does with rounds that overlap, or with a process that stops, is tested there.
      'no-restricted-imports': ['error', { name: 'node:timers/promises', message: 'Use app/timing.ts.' }],
      'no-restricted-globals': [
        'error',
        ...['setTimeout', 'setInterval', 'setImmediate'].map((name) => ({ name, message: 'Use app/timing.ts.' })),
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // chai's assertions are property reads.
      '@typescript-eslint/no-unused-expressions': 'off',
    },
  },
  {
    // Programs for a terminal: their output is what they are for.
    files: ['scripts/**/*.ts'],
    rules: { 'no-console': 'off' },
  },
);
