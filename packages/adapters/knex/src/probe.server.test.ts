import { usePostgres } from '@leasehold/testkit/postgres'
import QueryStream from 'pg-query-stream'
import { test } from 'vitest'
import { openKnex } from './open-knex.js'
const database = usePostgres()
test('probe', async () => {
  const opened = openKnex(database.url, { max: 1 })
  const c = await opened.pool.connect()
  const q = new QueryStream('select nothing')
  const he = q.handleError
  q.handleError = (...a) => { console.log('handleError', a[0]?.message, q.cursor.state); return he.apply(q, a) }
  const s = c.query(q)
  ;(c as any).connection.on('errorMessage', (m) => console.log('wire', m.message))
  ;(c as any).connection.on('readyForQuery', (m) => console.log('rfq'))
  for (const e of ['error', 'close', 'end']) s.on(e, (x) => console.log('direct stream', e, x?.message))
  s.resume()
  await new Promise((r) => setTimeout(r, 500))
  console.log(q.cursor.state, (c as any).processID)
  await opened.pool.close({deadlineMs: 0})
}, 10_000)
