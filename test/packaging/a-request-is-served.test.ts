import { execFile } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { usePostgres } from '@leasehold/testkit/postgres'
import { build } from 'esbuild'
import { describe, expect, test } from 'vitest'
import { COMPILER_SETTINGS } from './compiler-settings.js'
import { useInstallation } from './use-installation.js'

const run = promisify(execFile)
const require = createRequire(import.meta.url)
const { folder } = useInstallation()
const database = usePostgres()

/** No output, no warning: what a script that found nothing wrong prints. */
const silence = { stdout: '', stderr: '' }

/** Runs a script of the service that has installed the packages, and says all that it printed if it fails. */
async function node(...script: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, DATABASE_URL: database.url }
  return run(process.execPath, script, { cwd: folder, env, timeout: 100_000 }).catch(({ killed, message, stdout }) => {
    throw new Error(`${killed ? 'Took too long: ' : ''}${message}\n${stdout}`)
  })
}

describe('a request is served', () => {
  test('from ESM', async () => {
    expect(await node('from-esm.mjs')).toEqual(silence)
  })

  test('from CommonJS', async () => {
    expect(await node('from-commonjs.cjs')).toEqual(silence)
  })

  test('from both in one process, and they share their scopes', async () => {
    expect(await node('from-both.mjs')).toEqual(silence)
  })

  test('by Express, through both copies of its binding', async () => {
    expect(await node('an-express-request.mjs')).toEqual(silence)
  })

  test('by NestJS in CommonJS', async () => {
    expect(await node('a-nest-request.cjs')).toEqual(silence)
  })

  test('in a cls-hooked namespace, whichever copy carries it', async () => {
    expect(await node('in-a-namespace.mjs')).toEqual(silence)
  })

  test.each(['esm', 'cjs'] as const)('from a minified esbuild bundle (%s)', async (format) => {
    const outfile = join(folder, format === 'esm' ? 'bundle.mjs' : 'bundle.cjs')
    await build({
      entryPoints: [join(folder, format === 'esm' ? 'from-esm.mjs' : 'from-commonjs.cjs')],
      outfile,
      format,
      bundle: true,
      minify: true,
      platform: 'node',
      target: 'node20.19',
      logLevel: 'silent',
      // Drivers that Knex would load for other databases.
      external: [
        'better-sqlite3',
        'mariadb',
        'mysql',
        'mysql2',
        'oracledb',
        'pg-native',
        'pg-query-stream',
        'sqlite3',
        'tedious',
      ],
      // What the CommonJS packages inside an ESM bundle call to load the modules of Node.
      ...(format === 'esm' && {
        banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
      }),
    })
    expect(await node(outfile)).toEqual(silence)
  })

  test('from node:test', async () => {
    const { stdout } = await node('--test', '--test-reporter=tap', 'from-node-test.mjs')
    expect(stdout).toMatch(/^# pass 2\n# fail 0$/m)
  })

  test('from Jest with ts-jest', async () => {
    const config = {
      testMatch: ['**/from-jest.ts'],
      transform: {
        '\\.ts$': [
          require.resolve('ts-jest'),
          { tsconfig: { ...COMPILER_SETTINGS.commonjs, types: ['jest', 'node'] } },
        ],
      },
    }
    const { stderr } = await node(
      join(dirname(require.resolve('jest/package.json')), 'bin/jest.js'),
      '--ci',
      '--rootDir',
      folder,
      '--config',
      JSON.stringify(config),
    )
    expect(stderr).toContain('3 passed')
  })
})
