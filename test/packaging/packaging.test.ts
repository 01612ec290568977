import { execFile } from 'node:child_process'
import { copyFile, readFile, readdir, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { usePostgres } from '@leasehold/testkit/postgres'
import { build } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { describe, expect, inject, test } from 'vitest'

const run = promisify(execFile)
const require = createRequire(import.meta.url)
const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = inject('installationFolder')
const tarballs = Object.entries(inject('tarballs'))
const database = usePostgres()

const strict = {
  target: 'es2022',
  // `Disposable` is among what the declarations speak of.
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
}

/** The ways in which a service may be compiled. */
const settings = {
  node16: { ...strict, module: 'node16', moduleResolution: 'node16' },
  nodenext: { ...strict, module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { ...strict, module: 'esnext', moduleResolution: 'bundler' },
  // As much of Nest is: no `exports`, and a default import only of what really has a default export. The declarations of
  // pino, which Fastify brings, are not written for that.
  commonjs: { ...strict, module: 'commonjs', moduleResolution: 'node10', esModuleInterop: false, skipLibCheck: true },
}

/** What `npx` would start; many packages do not export it. */
const binary = (manifest: string, file: string): string => join(dirname(manifest), file)

/** No output, no warning: what a script that found nothing wrong prints. */
const silence = { stdout: '', stderr: '' }

/** Runs a script of the service that has installed the packages, and says all that it printed if it fails. */
async function node(...script: string[]): Promise<{ stdout: string; stderr: string }> {
  const env = { ...process.env, DATABASE_URL: database.url }
  return run(process.execPath, script, { cwd: folder, env, timeout: 100_000 }).catch(({ killed, message, stdout }) => {
    throw new Error(`${killed ? 'Took too long: ' : ''}${message}\n${stdout}`)
  })
}

describe.each(tarballs)('%s', (name, tarball) => {
  test('is what publint wants a package to be', async () => {
    const { buffer } = await readFile(tarball)
    const { messages, pkg } = await publint({ pack: { tarball: buffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })

  test('has types that are right for every way of resolving them', async () => {
    const attw = binary(require.resolve('@arethetypeswrong/cli/package.json'), 'dist/index.js')
    const { stdout } = await run(process.execPath, [attw, '--no-color', tarball])
    expect(stdout).toContain('No problems found')
  })

  test('carries its build, its licence and its README, and nothing else', async () => {
    const installed = await readdir(join(folder, 'node_modules', name), { recursive: true, withFileTypes: true })
    const files = installed.filter((entry) => entry.isFile())
    expect(files.filter((file) => /\.test\.|(?<!\.d)\.ts$/.test(file.name))).toEqual([])
    const top = await readdir(join(folder, 'node_modules', name))
    expect(top.filter((entry) => entry !== 'node_modules').toSorted()).toEqual([
      'LICENSE',
      'README.md',
      'dist',
      'package.json',
    ])
    expect(await readFile(join(folder, 'node_modules', name, 'LICENSE'), 'utf8')).toBe(
      await readFile(join(root, 'LICENSE'), 'utf8'),
    )
  })
})

test('one copy of each package is installed', async () => {
  const { stdout } = await run('npm', ['ls', '--all', '--parseable', ...tarballs.map(([name]) => name)], {
    cwd: folder,
  })
  const paths = stdout
    .trim()
    .split('\n')
    .map((path) => path.slice(folder.length + 1))
  expect([...new Set(paths)].toSorted()).toEqual(tarballs.map(([name]) => `node_modules/${name}`).toSorted())
})

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
        '\\.ts$': [require.resolve('ts-jest'), { tsconfig: { ...settings.commonjs, types: ['jest', 'node'] } }],
      },
    }
    const { stderr } = await node(
      binary(require.resolve('jest/package.json'), 'bin/jest.js'),
      '--ci',
      '--rootDir',
      folder,
      '--config',
      JSON.stringify(config),
    )
    expect(stderr).toContain('3 passed')
  })
})

describe('TypeScript accepts the types', () => {
  // The declarations of Drizzle are not written for a check of libraries.
  const services = {
    'from-typescript': {},
    'from-typescript-express': {},
    'from-typescript-drizzle': { skipLibCheck: true },
    // Terminus 12 is ESM only, so its declarations are refused to CommonJS where libraries are checked.
    'from-typescript-nestjs': { skipLibCheck: true, experimentalDecorators: true },
  }

  describe.each(Object.entries(services))('%s', (service, more) => {
    test.each([
      ['node16', 'mts'],
      ['node16', 'cts'],
      ['nodenext', 'mts'],
      ['nodenext', 'cts'],
      ['bundler', 'ts'],
      ['commonjs', 'ts'],
    ] as const)('%s, from a .%s file', async (kind, extension) => {
      const file = `${service}-${kind}.${extension}`
      await copyFile(join(folder, `${service}.ts`), join(folder, file))
      const project = join(folder, `tsconfig-${service}-${kind}-${extension}.json`)
      await writeFile(project, JSON.stringify({ compilerOptions: { ...settings[kind], ...more }, files: [file] }))
      expect(await node(binary(require.resolve('typescript/package.json'), 'bin/tsc'), '--project', project)).toEqual(
        silence,
      )
    })
  })
})
