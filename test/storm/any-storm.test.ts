import { usePostgres } from '@leasehold/testkit/postgres'
import { playStorms, useStormTable } from './play-storms.js'
import { test } from 'vitest'

const database = usePostgres()
const outside = useStormTable(database)

test('whatever requests do while networks fail: all are answered in time, nothing is lost, mixed up, held or blocked', async () => {
  await playStorms(Number(process.env['STORM_MS'] ?? 25_000), { url: database.url, outside: outside() })
}, 900_000)
