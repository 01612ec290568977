import { usePostgres } from '@leasehold/testkit/postgres'
import { test } from 'vitest'
import { playStorms, useStormTable } from './play-storms.js'

const database = usePostgres()
const outside = useStormTable(database)

test('whatever requests do while networks fail: all are answered in time, nothing is lost, mixed up, held or blocked', async () => {
  await playStorms(10_000, { url: database.url, outside: outside() })
}, 60_000)
