import { usePostgres } from '@leasehold/testkit/postgres'
import { refuseUnhandledErrors } from '@leasehold/testkit/unhandled'
import { expect, test, vi } from 'vitest'
import { useHungServer } from '../testing/use-hung-server.js'

const server = useHungServer(usePostgres())
const UNSERIALIZABLE = {
  toPostgres: (): never => {
    throw new Error('this value does not serialize')
  },
}

refuseUnhandledErrors()

test('a value that does not serialize fails its query once, though its connection is lost before the server is ready', async () => {
  const pool = server.open()
  await pool.query('select 1')
  await server.proxy.fault({ is: 'freeze', direction: 'both' })

  await expect(pool.query('select $1::text', [UNSERIALIZABLE])).rejects.toThrow('does not serialize')

  server.proxy.lines[0]?.fault({ is: 'reset' })
  await vi.waitFor(() => expect(pool.snapshot().connections.total).toBe(0), { timeout: 5_000, interval: 5 })
  await server.proxy.heal()
  expect((await pool.query('select 1 as one')).rows).toEqual([{ one: 1 }])
})
