// Time limits only end what hangs: no test is about how fast the machine is. One project per tier, so that `jest --selectProjects unit` needs no server and `e2e` runs alone.
const base = {
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: {
          target: 'es2022',
          parser: { syntax: 'typescript', decorators: true },
          transform: { legacyDecorator: true, decoratorMetadata: true },
        },
        module: { type: 'es6' },
      },
    ],
  },
  moduleNameMapper: {
    '^#(domain|eventlog|bus|system)$': '<rootDir>/libs/$1/src/index.ts',
    '^#bus/nest$': '<rootDir>/libs/bus/src/nest/index.ts',
    '^(\\.{1,2}/.*)\\.js$': '$1',
  },
  testPathIgnorePatterns: ['/node_modules/', '/dist/'],
  modulePathIgnorePatterns: ['/dist/'],
};
const project = (displayName, testMatch, more = {}) => ({ ...base, displayName, testMatch, ...more });

export default {
  testTimeout: 120_000,
  projects: [
    project('unit', ['<rootDir>/{apps,libs,test}/**/*.spec.ts'], {
      testPathIgnorePatterns: [...base.testPathIgnorePatterns, '\\.(int|e2e|sim)\\.spec\\.ts$'],
    }),
    project('simulation', ['<rootDir>/test/simulation/**/*.sim.spec.ts']),
    project('integration', ['<rootDir>/{apps,libs,test}/**/*.int.spec.ts']),
    project('e2e', ['<rootDir>/test/e2e/**/*.e2e.spec.ts']),
  ],
};
