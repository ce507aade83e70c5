import tseslint from 'typescript-eslint';

// The domain is a function of its inputs: what it must not reach is named here, so that purity fails the build, not a review.
const impure = [
  'Date',
  'process',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'fetch',
  'console',
  'crypto',
  'Buffer',
  'performance',
  'globalThis',
];

export default tseslint.config(
  { ignores: ['dist/**', 'node_modules/**', 'coverage/**', '**/*.cjs', 'scripts/**/*.mjs', '*.mjs'] },
  ...tseslint.configs.recommended,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['libs/domain/src/**/*.ts'],
    ignores: ['**/*.spec.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...impure.map((name) => ({ name, message: 'The domain is pure: take this as an argument.' })),
      ],
      'no-restricted-properties': [
        'error',
        { object: 'Math', property: 'random', message: 'The domain is pure: take randomness as an argument.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'FunctionDeclaration[async=true], ArrowFunctionExpression[async=true], AwaitExpression',
          message: 'Nothing in the domain waits.',
        },
      ],
    },
  },
  {
    // Everything the simulation drives takes time and timers from the Clock port, or one seed would not give one trace.
    files: ['apps/{api,scheduler,executor}/src/**/*.ts', 'libs/eventlog/src/**/*.ts', 'libs/bus/src/**/*.ts'],
    ignores: [
      '**/*.spec.ts',
      '**/main.ts',
      '**/*.module.ts',
      '**/runtime/docker-*.ts',
      '**/postgres/**',
      '**/nats/**',
      '**/nest/**',
      '**/http/**',
    ],
    rules: {
      'no-restricted-globals': [
        'error',
        ...['Date', 'setTimeout', 'setInterval', 'setImmediate'].map((name) => ({
          name,
          message: 'Use the Clock port.',
        })),
      ],
      'no-restricted-properties': ['error', { object: 'Math', property: 'random', message: 'Use the IdSource port.' }],
    },
  },
);
