import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { LeasedPgPool } from '@leasehold/pg'
import connectPgSimple from 'connect-pg-simple'
import session from 'express-session'
import { afterEach, expect, test } from 'vitest'
import { useGuestPool } from './use-guest-pool.js'

declare module 'express-session' {
  interface SessionData {
    visits: number
  }
}

const guests = useGuestPool('create table unrelated ()')
const Store = connectPgSimple(session)
const closing: Array<() => void> = []

afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A server that counts the visits of each session, and says so. */
async function serve(pool: LeasedPgPool): Promise<{ url: string; store: InstanceType<typeof Store> }> {
  const store = new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false, errorLog: () => {} })
  const sessions = session({ store, secret: 'of the test', resave: false, saveUninitialized: false })
  const server: Server = createServer((request, response) => {
    const received = request as Parameters<typeof sessions>[0]
    sessions(received, response as Parameters<typeof sessions>[1], (error: unknown) => {
      if (error !== undefined) {
        response.writeHead(500).end(error instanceof Error ? error.message : 'no error')
        return
      }
      received.session.visits = (received.session.visits ?? 0) + 1
      response.end(String(received.session.visits))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, resolve))
  closing.push(() => server.close())
  return { url: `http://localhost:${(server.address() as AddressInfo).port}`, store }
}

async function visit(url: string, cookie?: string): Promise<{ status: number; text: string; cookie: string }> {
  const response = await fetch(url, cookie === undefined ? {} : { headers: { cookie } })
  const text = await response.text()
  return { status: response.status, text, cookie: response.headers.get('set-cookie')?.split(';')[0] ?? cookie ?? '' }
}

test('sessions of express-session live in the database, read and written through the pool', async () => {
  const pool = guests.open()
  const { url } = await serve(pool)

  const first = await visit(url)
  const second = await visit(url, first.cookie)
  const another = await visit(url)

  expect([first.text, second.text, another.text]).toEqual(['1', '2', '1'])
  expect(await guests.ask("select (sess ->> 'visits')::int as visits from session order by visits")).toEqual([
    { visits: 1 },
    { visits: 2 },
  ])
  expect(pool.snapshot().counts.leaks).toEqual({
    overdue: 0,
    'left-over': 0,
    forgotten: 0,
    'idle-in-transaction': 0,
  })
})

test('a session that has expired is gone', async () => {
  const pool = guests.open()
  const { url, store } = await serve(pool)
  const { cookie } = await visit(url)
  await visit(url)

  await guests.ask("update session set expire = now() - interval '1 day'")
  await new Promise<void>((resolve, reject) =>
    store.pruneSessions((error) => (error instanceof Error ? reject(error) : resolve())),
  )

  expect((await visit(url, cookie)).text).toBe('1')
})

test('an error of the session table is answered, and keeps the connection', async () => {
  const pool = guests.open({ max: 1 })
  const { url } = await serve(pool)
  const { cookie } = await visit(url)
  await guests.ask('alter table session rename to elsewhere')

  const failed = await visit(url, cookie)
  await guests.ask('alter table elsewhere rename to session')
  const mended = await visit(url, cookie)

  expect(failed.status).toBe(500)
  expect(failed.text).toContain('session')
  expect(mended.text).toBe('2')
  expect(pool.snapshot().counts.opened).toBe(1)
})
