import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const require = createRequire(import.meta.url)
const home = fileURLToPath(new URL('../../.generated/', import.meta.url))

/**
 * What Prisma's command needs to run without network: it wants an engine for its other commands and would download it.
 * Any program that exists will do for `generate`; this one fails at what it is asked by `db push`.
 */
export const OFFLINE = {
  PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
  CHECKPOINT_DISABLE: '1',
  // Prisma 6 wants this one too.
  PRISMA_QUERY_ENGINE_LIBRARY: process.execPath,
}

/** Runs Prisma's command line. */
export function runPrisma(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
): Promise<{ stdout: string; stderr: string }> {
  const command = require.resolve('prisma/build/index.js')
  return promisify(execFile)(process.execPath, [command, ...args], { env: { ...process.env, ...environment } })
}

/** The schema of the tests, as the installed Prisma wants it to be written. */
export async function readSchema(): Promise<string> {
  const schema = await readFile(fileURLToPath(new URL('./schema.prisma', import.meta.url)), 'utf8')
  if (!prismaVersion().startsWith('6.')) return schema
  return schema
    .replace('"postgresql"', '"postgresql"\n  url = env("DATABASE_URL")')
    .replace('"prisma-client"', '"prisma-client"\n  engineType = "client"')
}

/** Generates the client of the tests, unless that has been done, and tells in which folder it lies. */
export async function generateClient(): Promise<string> {
  const schema = await readSchema()
  const hash = createHash('sha256').update(prismaVersion()).update(schema).digest('hex')
  const folder = join(home, hash.slice(0, 16))
  if (existsSync(folder)) return join(folder, 'client')
  const draft = join(home, `draft-${process.pid}-${Date.now()}`)
  await mkdir(draft, { recursive: true })
  await writeFile(join(draft, 'schema.prisma'), schema)
  await runPrisma(['generate', '--schema', join(draft, 'schema.prisma')], OFFLINE)
  // Several test files may do this at the same time: whoever is first, its result is as good.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true }))
  return join(folder, 'client')
}

function prismaVersion(): string {
  return (require('@prisma/client/package.json') as { version: string }).version
}
