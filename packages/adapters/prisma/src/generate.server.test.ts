import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { usePostgres } from '@leasehold/testkit/postgres'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { OFFLINE, readSchema, runPrisma } from './testing/generate-client.js'

const database = usePostgres()
const parent = fileURLToPath(new URL('../.generated/', import.meta.url))
const unreachable = 'http://127.0.0.1:1'
const noNetwork = { PRISMA_ENGINES_MIRROR: unreachable, HTTP_PROXY: unreachable, HTTPS_PROXY: unreachable }

let folder: string
let schema: string

beforeAll(async () => {
  await mkdir(parent, { recursive: true })
  folder = await mkdtemp(join(parent, 'without-network-'))
  schema = join(folder, 'schema.prisma')
  await writeFile(schema, await readSchema())
})
afterAll(() => rm(folder, { recursive: true }))

test('prisma generate works without network, as the README says it', async () => {
  await runPrisma(['generate', '--schema', schema], { ...noNetwork, ...OFFLINE })
  expect(await readdir(join(folder, 'client'))).toContain('client.ts')
})

test('and what really needs the engine fails loudly instead of doing nothing', async () => {
  const push = runPrisma(['db', 'push', '--schema', schema, '--url', database.url], { ...noNetwork, ...OFFLINE })
  await expect(push).rejects.toMatchObject({ code: 1 })
})
