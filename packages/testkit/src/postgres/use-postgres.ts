import { afterAll, beforeAll, inject } from 'vitest'
import { createDatabase } from './create-database.js'
import type { TestDatabase } from './test-database.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The server of this run; see global-setup.ts. */
    postgresUrl: string
  }
}

/**
 * Gives the test file that calls it at its top a database of its own, dropped after the file's last `afterAll`. Read `url`
 * in tests and hooks: the database does not exist before they run.
 */
export function usePostgres(): { readonly url: string } {
  let database: TestDatabase | undefined
  beforeAll(async () => {
    database = await createDatabase({ url: inject('postgresUrl') })
  })
  afterAll(() => database?.drop())
  return {
    get url() {
      if (!database) throw new Error('usePostgres(): the database exists only while hooks and tests run')
      return database.url
    },
  }
}
