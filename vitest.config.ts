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
          exclude: [...never, serverTests, longTests],
          // Each file in a process of its own. `isolate: false` would save a minute of the processor, and has tests fail now and
          // then that look at stacks or at the order of microtasks: they are others in a process that has run for a while.
          // Sweeps, random walks and compilers take seconds of pure work, and ten times that on a machine busy with more.
          testTimeout: 180_000,
        },
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
