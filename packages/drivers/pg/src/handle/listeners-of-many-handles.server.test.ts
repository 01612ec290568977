import { runInScope } from '@leasehold/core'
import { usePostgres } from '@leasehold/testkit/postgres'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { usePools } from '../testing/leased-pool.js'

const database = usePostgres()
const poolOf = usePools(database)

let warnings: string[] = []
const note = (warning: Error): void => void warnings.push(warning.message)

beforeEach(() => {
  warnings = []
  process.on('warning', note)
})
afterEach(() => void process.off('warning', note))

async function listenOnTwelve(pool: ReturnType<typeof poolOf>): Promise<void> {
  const clients = await Promise.all(Array.from({ length: 12 }, () => pool.connect()))
  for (const client of clients) client.on('error', () => {}).once('end', () => {})
  await new Promise(setImmediate)
  for (const client of clients) client.release()
}

test('clients that share a session may each be listened to: Node warns of no leak', async () => {
  const pool = poolOf({ max: 1 })
  await runInScope({ label: 'a request', mode: 'session' }, () => listenOnTwelve(pool))
  await pool.transaction(() => listenOnTwelve(pool))

  expect(warnings).toEqual([])
})

test('one client to which ever more listeners are added is warned of, as without a pool of ours', async () => {
  const client = await poolOf({ max: 1 }).connect()
  for (let count = 0; count < 12; count += 1) client.on('notice', () => {})
  await new Promise(setImmediate)
  client.release()

  expect(warnings).toEqual([expect.stringContaining('11 notice listeners added')])
})
