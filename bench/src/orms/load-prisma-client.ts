import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, rename, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

interface GeneratedClient {
  readonly PrismaClient: PrismaClientClass
}

type PrismaClientClass = new (options: object) => PrismaClient

interface RawStatements {
  $executeRawUnsafe(text: string): PromiseLike<number>
}

/** What is used of the generated client. Its own types do not exist before it is generated. */
export interface PrismaClient extends RawStatements {
  $transaction<R>(work: (transaction: RawStatements) => Promise<R>): Promise<R>
  $connect(): Promise<void>
  $disconnect(): Promise<void>
  readonly order: { findFirst(args: { readonly where: { readonly id: number } }): PromiseLike<unknown> }
}

const require = createRequire(import.meta.url)
const home = new URL('../../.generated/', import.meta.url)

/** The class of the client, which is generated when it is first wanted. */
export async function loadPrismaClient(): Promise<PrismaClientClass> {
  const { version } = require('@prisma/client/package.json') as { version: string }
  const folder = new URL(`${version}/`, home)
  if (!existsSync(folder)) await generate(folder)
  return (require(fileURLToPath(new URL('client/index.js', folder))) as GeneratedClient).PrismaClient
}

async function generate(folder: URL): Promise<void> {
  const draft = new URL(`draft-${process.pid}/`, home)
  await mkdir(draft, { recursive: true })
  const schema = fileURLToPath(new URL('schema.prisma', draft))
  await copyFile(new URL('../../src/orms/schema.prisma', import.meta.url), schema)
  // Prisma would download an engine for its other commands. With any program in its place this one needs no network.
  const environment = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1' }
  const command = [require.resolve('prisma/build/index.js'), 'generate', '--schema', schema]
  await promisify(execFile)(process.execPath, command, { env: environment })
  // Another process may have done the same meanwhile: its result is as good.
  await rename(draft, folder).catch(() => rm(draft, { recursive: true }))
}
