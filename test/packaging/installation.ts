import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { TestProject } from 'vitest/node'
import { publishablePackages } from '../../scripts/publishable-packages.mjs'
import ownManifest from '../package.json' with { type: 'json' }

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder of a service that has installed what would be published. */
    installationFolder: string
    /** The tarball of each package, by its name. */
    tarballs: Record<string, string>
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
 * Builds and packs every package that can be published, and installs the tarballs in an empty folder: once for all tests
 * of packaging, since it takes longer than all of them.
 */
export default async function installation(project: TestProject): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'leasehold-packaging-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true })
  try {
    const tarballs = await install(folder)
    project.provide('installationFolder', folder)
    project.provide('tarballs', tarballs)
    return remove
  } catch (error) {
    await remove()
    throw error
  }
}

async function install(folder: string): Promise<Record<string, string>> {
  await run('npm', ['run', 'build'], { cwd: root }).catch(({ stdout }: { stdout: string }) => {
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
  await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--no-package-lock'], { cwd: folder })
  return tarballs
}

async function pack(packageFolder: string, destination: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', destination], { cwd: packageFolder })
  const [packed] = JSON.parse(stdout) as { filename: string }[]
  if (packed === undefined) throw new Error(`npm packed nothing in ${packageFolder}`)
  return join(destination, packed.filename)
}
