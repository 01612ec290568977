import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { runInScope } from '@leasehold/core'
import { expectNoLeaks } from '@leasehold/core/testing'
import { createPgPool } from '@leasehold/pg'

const pool = createPgPool({ connectionString: process.env['DATABASE_URL'], leasehold: { captureSites: 'always' } })
after(() => pool.close({ deadlineMs: 0 }))

test('what is given back is no leak', async () => {
  await pool.query('select 1')
  await expectNoLeaks(pool)
})

test('what is held, or was left over, is named with its line', async () => {
  await runInScope({ label: 'GET /orders' }, async () => void (await pool.connect()))
  const client = await pool.connect()
  await assert.rejects(expectNoLeaks(pool, { withinMs: 0 }), (error) => {
    assert.ok(error instanceof assert.AssertionError)
    assert.match(error.message, /still held: outside any scope .*from-node-test\.mjs/)
    assert.match(error.message, /left-over: GET \/orders at .*from-node-test\.mjs/)
    return true
  })
  client.release()
  await expectNoLeaks(pool)
})
