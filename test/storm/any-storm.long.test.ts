import { usePostgres } from '@leasehold/testkit/postgres'
import { usePgBouncer } from '@leasehold/testkit/pgbouncer'
import { describe, test } from 'vitest'
import { playStorms, useStormTable } from './play-storms.js'

/** `LEASEHOLD_STORM_SECONDS=600 npm run test:long` for a longer one. */
const SECONDS = Number(process.env['LEASEHOLD_STORM_SECONDS'] ?? (process.env['CI'] ? 40 : 90))

const database = usePostgres()
const outside = useStormTable(database)

test(
  'thousands of requests in storms: all are answered in time, nothing is lost, mixed up, held or blocked',
  async () => {
    await playStorms(SECONDS * 1_000, { url: database.url, outside: outside() })
  },
  (SECONDS + 60) * 1_000,
)

describe('behind PgBouncer', () => {
  const bouncer = usePgBouncer(database, { mode: 'transaction', size: 4 })

  test(
    'the same',
    async () => {
      await playStorms(SECONDS * 1_000, { url: bouncer.url, outside: outside(), behind: 'pgbouncer' })
    },
    (SECONDS + 60) * 1_000,
  )
})
