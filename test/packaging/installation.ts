import { execFile } from 'node:child_process'
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { publishablePackages } from '../../scripts/publishable-packages.mjs'
import ownManifest from '../package.json' with { type: 'json' }
import { INSTALLED, type Installed } from './installed.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of a service that will have installed what would be published; see use-installation.ts. */
    installationFolder: string
  }
}

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const consumers = fileURLToPath(new URL('consumers', import.meta.url))

/** What the packages are used together with, in the versions the repository itself is tested with. */
const besides = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/terminus',
  '@prisma/adapter-pg',
  '@types/cls-hooked',
  '@types/express',
  '@types/jest',
  '@types/node',
  '@types/pg',
  'cls-hooked',
  'drizzle-orm',
  'express',
  'fastify',
  'knex',
  'pg',
  'reflect-metadata',
  'rxjs',
] as const

/**
 * Begins to build and pack every package that can be published, and to install the tarballs in an empty folder: once for
 * all tests of packaging. No other test waits for it: vitest begins when this returns, and the tests of packaging, which
 * come last, ask `useInstallation()`.
 */
export default async function installation(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-packaging-'))
  project.provide('installationFolder', folder)
  const ended = install(folder)
    .then((tarballs): Installed => ({ is: 'there', tarballs }))
    .catch((error: unknown): Installed => ({ is: 'failed', why: String(error) }))
    .then((installed) => tell(folder, installed))
  return async () => {
    await ended
    await rm(folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Whoever reads the file shall find all of it. */
async function tell(folder: string, installed: Installed): Promise<void> {
  const file = join(folder, INSTALLED)
  await writeFile(`${file}.new`, JSON.stringify(installed))
  await rename(`${file}.new`, file)
}

async function install(folder: string): Promise<Record<string, string>> {
  // Without the examples, which would generate their clients beside the tests that use them.
  const build = run('npm', ['run', 'build', '--', '--filter=./packages/**'], { cwd: root })
  await build.catch(({ stdout }: { stdout: string }) => {
    throw new Error(`There is nothing to pack:\n${stdout}`)
  })
  const tarballs = Object.fromEntries(
    await Promise.all(
      publishablePackages().map(async (found) => [found.name, await pack(found.folder, folder)] as const),
    ),
  )
  const versions = Object.fromEntries(besides.map((name) => [name, ownManifest.devDependencies[name]]))
  await cp(consumers, folder, { recursive: true })
  await writeFile(
    join(folder, 'package.json'),
    JSON.stringify({ private: true, dependencies: { ...versions, ...tarballs } }),
  )
  const flags = ['--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock']
  await run('npm', ['install', ...flags], { cwd: folder })
  return tarballs
}

async function pack(packageFolder: string, destination: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', destination], { cwd: packageFolder })
  const [packed] = JSON.parse(stdout) as { filename: string }[]
  if (packed === undefined) throw new Error(`npm packed nothing in ${packageFolder}`)
  return join(destination, packed.filename)
}
