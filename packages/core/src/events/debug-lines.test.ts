import { openFakePool } from '@leasehold/testkit'
import { expect, it } from 'vitest'
import { debugLine, printDebugLines } from './debug-lines.js'

it('LEASEHOLD_DEBUG=1 prints one line for each event, once, with its facts', async () => {
  const lines: string[] = []
  printDebugLines((line) => lines.push(line))
  printDebugLines((line) => lines.push(`twice: ${line}`))

  const { pool, clock } = openFakePool({ name: 'orders' })
  const lease = await pool.acquire({ label: 'GET /orders/:id' })
  clock.advance(12)
  lease.release()

  expect(lines).toEqual([
    'leasehold orders open connection=1 afterMs=0',
    'leasehold orders acquire label=GET /orders/:id isJoined=false waitedMs=0 connection=1',
    'leasehold orders release label=GET /orders/:id connection=1 heldMs=12 busyMs=0',
  ])
})

it('a debug line leaves out what is not known and shortens an error to its message', () => {
  const message = { pool: 'p', poolId: 1, site: undefined, error: new Error('no "luck"'), left: { a: 1 } }
  expect(debugLine('reset', message)).toBe('leasehold p reset error="no \\"luck\\"" left={"a":1}')
})

it('a debug line tells of any reason for which a connection was closed, also of those that JSON does not know', () => {
  const error: Record<string, unknown> = { why: 'circular' }
  error['itself'] = error
  expect(debugLine('close', { pool: 'p', poolId: 1, error })).toContain("why: 'circular'")
  expect(debugLine('close', { pool: 'p', poolId: 1, error: 1n })).toBe('leasehold p close error=1n')
})
