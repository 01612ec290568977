import { usePostgres } from '@leasehold/testkit/postgres'
import { Socket } from 'node:net'
import { Connection } from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { setImmediate } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { usePools } from '../testing/leased-pool.js'
import type { PgConnection } from './pg-connection.js'

const poolOf = usePools(usePostgres())

function socketOf(client: unknown): Socket {
  return (client as { readonly connection: PgConnection }).connection.stream as Socket
}

test('what many connections read at the same time stays apart, in pieces of every size', async () => {
  const pool = poolOf({ max: 8 })
  // Rows of up to 200 KB: several pieces each, and what a piece leaves over waits for the next one.
  const ask = async (caller: number): Promise<void> => {
    for (let length = 1; length < 200_000; length = length * 3 + caller) {
      const text = 'select repeat($1, $2) as letters from generate_series(1, 3)'
      const { rows } = await pool.query<{ letters: string }>(text, [String.fromCharCode(97 + caller), length])
      const letters = String.fromCharCode(97 + caller).repeat(length)
      expect(rows.map((row) => row.letters === letters)).toEqual([true, true, true])
    }
  }
  await Promise.all(Array.from({ length: 8 }, (_, caller) => ask(caller)))
})

test('pieces of a COPY that somebody keeps are not overwritten by what other connections read', async () => {
  const pool = poolOf({ max: 2 })
  const kept = await Promise.all(
    ['a', 'b'].map(async (letter) => {
      const client = await pool.connect()
      const rows = client.query(
        copyTo(`copy (select repeat('${letter}', 1000) from generate_series(1, 1000)) to stdout`),
      )
      const pieces: Buffer[] = []
      for await (const piece of rows as AsyncIterable<Buffer>) pieces.push(piece)
      client.release()
      return pieces
    }),
  )
  await pool.query(`select repeat('c', 100000)`)
  const told = kept.map((pieces) => Buffer.concat(pieces).toString())
  expect(told.map((text, at) => text === `${'ab'[at]?.repeat(1_000)}\n`.repeat(1_000))).toEqual([true, true])
})

test('a large COPY that nobody reads on stays with the server', async () => {
  const pool = poolOf({ max: 1 })
  const client = await pool.connect()
  const rows = client.query(copyTo(`copy (select repeat('x', 1000) from generate_series(1, 50000)) to stdout`))
  rows.once('readable', () => rows.read(1))
  const socket = socketOf(client)
  await vi.waitUntil(() => rows.readableLength >= rows.readableHighWaterMark)
  for (let turn = 0; turn < 1_000; turn += 1) await setImmediate()
  expect(socket.bytesRead).toBeLessThan(2_000_000)
  let bytes = 1
  for await (const piece of rows as AsyncIterable<Buffer>) bytes += piece.length
  expect(bytes).toBe(50_000 * 1_001)
  client.release()
})

test.each([
  ['as a stream', (own: Socket) => ({ stream: () => own })],
  ['in a connection', (own: Socket) => ({ connection: new Connection({ stream: () => own }) })],
])('a socket that somebody has chosen, %s, is used as it is', async (_, configOf) => {
  const own = new Socket()
  const pool = poolOf({ max: 1, ...configOf(own) })
  await pool.query('select 1')
  const client = await pool.connect()
  expect(socketOf(client)).toBe(own)
  client.release()
})
