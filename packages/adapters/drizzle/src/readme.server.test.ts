import { usePostgres } from '@leasehold/testkit/postgres'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const require = createRequire(import.meta.url)
const database = usePostgres()

test('the lines that a new user types, as they stand in the README, do what they say', async () => {
  const readme = await readFile(new URL('../README.md', import.meta.url), 'utf8')
  const lines = /```ts\n([^]*?)```/.exec(readme)?.[1] ?? ''
  expect(lines).toContain('createDrizzle(pool')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--import', require.resolve('tsx'), '--input-type=module', '--eval', lines],
    {
      // Beside what the README imports.
      cwd: dirname(fileURLToPath(new URL('testing/readme/schema.ts', import.meta.url))),
      env: {
        ...process.env,
        DATABASE_URL: database.url,
        TSX_TSCONFIG_PATH: fileURLToPath(new URL('../../../../tsconfig.json', import.meta.url)),
      },
    },
  )
  expect(stdout.trim()).toBe('1 1')
})
