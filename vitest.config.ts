import { fileURLToPath } from 'node:url'
import { configDefaults, defineConfig } from 'vitest/config'
import { LongestFirst } from './test/longest-first.js'
import tsconfig from './tsconfig.json' with { type: 'json' }

const root = fileURLToPath(new URL('.', import.meta.url))

/** Tests run the sources, not what was built of them: the same names that TypeScript is told in `paths`. */
const alias = Object.entries(tsconfig.compilerOptions.paths).map(([name, [file]]) => ({
  find: new RegExp(`^${name}$`),
  replacement: `${root}${file}`,
}))

/** Starts PostgreSQL when the first test asks for it, and stops it after the last; or uses `DATABASE_URL`. */
const postgres = './packages/testkit/src/postgres/global-setup.ts'

const serverTests = '**/*.server.test.ts'
const longTests = '**/*.long.test.ts'

/** Files that `npm run test:nodes` leaves out, with commas between. Vitest's own `--exclude` does not reach its projects. */
const leftOut = process.env['LEASEHOLD_TESTS_LEFT_OUT']?.split(',') ?? []
const never = [...configDefaults.exclude, ...leftOut]

/** Unit tests that choose the carrier of their process, or ask what a module does when it is first loaded. */
const alone = [
  'packages/core/src/scope/use-scope-carrier.test.ts',
  'packages/carriers/cls-hooked/src/scopes-in-a-namespace.test.ts',
  'packages/adapters/prisma/src/check-adapter-version.test.ts',
]

// Sweeps, random walks and compilers take seconds of pure work, and ten times that on a machine busy with more.
const UNIT_TIMEOUT = 180_000

export default defineConfig({
  resolve: { alias },
  test: {
    // For two cores, which a small CI machine has. Many tests on a server wait more than they work (parallel-siblings: 9 s
    // of processor in 22 s), which leaves room for a third worker; more would disturb each other's deadlines.
    maxWorkers: 3,
    // A fresh clone has no memory of what takes long, and one long file begun last leaves the other workers idle.
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        extends: true,
        test: {
          name: 'unit',
          include: ['packages/**/src/**/*.test.ts', 'test/layers/**/*.test.ts'],
          exclude: [...never, ...alone, serverTests, longTests],
          // One after the other in the same processes, which load the sources once: 75 s of the processor in place of 130.
          isolate: false,
          testTimeout: UNIT_TIMEOUT,
        },
      },
      {
        extends: true,
        test: { name: 'unit-alone', include: alone, exclude: never, testTimeout: UNIT_TIMEOUT },
      },
      {
        extends: true,
        test: {
          name: 'server',
          globalSetup: postgres,
          include: [`packages/${serverTests}`, `examples/${serverTests}`, 'test/**/*.test.ts'],
          exclude: [...never, longTests, 'test/layers/**', 'test/packaging/**'],
          testTimeout: 20_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'long',
          globalSetup: postgres,
          include: [longTests],
          testTimeout: 300_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: 'packaging',
          // The installation only begins there, and goes on while other tests run.
          globalSetup: [postgres, './test/packaging/installation.ts'],
          include: ['test/packaging/**/*.test.ts'],
          exclude: never,
          testTimeout: 120_000,
          // The first hook waits for the installation, however busy the machine is.
          hookTimeout: 600_000,
        },
      },
    ],
  },
})
