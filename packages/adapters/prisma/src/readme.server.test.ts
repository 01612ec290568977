import { readFile, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { expect, test } from 'vitest'
import { generateClient } from './testing/generate-client.js'
import { usePrisma } from './testing/use-prisma.js'

const tests = usePrisma()

test('the lines of the README do what they say', async () => {
  const readme = await readFile(fileURLToPath(new URL('../README.md', import.meta.url)), 'utf8')
  const [, lines] = /```ts\n([^]*?)```/.exec(readme) ?? []
  expect(lines).toContain('leasePrisma(client, pool)')
  const file = join(dirname(await generateClient()), `readme-${process.pid}.ts`)
  await writeFile(file, String(lines).replace('./generated/prisma/client.js', './client/client.ts'))
  process.env['DATABASE_URL'] = tests.url
  try {
    await import(/* @vite-ignore */ pathToFileURL(file).href)
  } finally {
    delete process.env['DATABASE_URL']
    await rm(file)
  }
  const { prisma } = tests.open()
  const accounts = await prisma.account.findMany({ where: { id: { in: [7, 8] } }, orderBy: { id: 'asc' } })
  expect(accounts.map(({ balance }) => balance)).toEqual([95, 105])
})
