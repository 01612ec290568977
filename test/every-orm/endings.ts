import { once } from 'node:events'
import type { Orm } from './orms.js'
import type { Handler } from './services.js'

/** One way in which a request can end. */
export interface Ending {
  readonly name: string
  readonly method: 'GET' | 'POST'
  /** When the client hangs up; undefined: it waits for the whole answer. */
  readonly hangsUp?: 'while it waits' | 'after the first bytes'
  /** How many rows are there afterwards. */
  readonly rows: 0 | 1
  readonly status?: number
  /** Whether a query was sent after the response had closed. */
  readonly isLate?: true
  /** @param written is to be called when the row has been written, committed or not. */
  readonly handler: (orm: Orm, written: () => void) => Handler
}

/** Inserts a row in a transaction and then waits, in it, for a statement that takes a minute. */
const hangInTransaction =
  (orm: Orm, written: () => void): Handler =>
  async () => {
    await orm.transaction(async (sleep) => {
      written()
      await sleep()
    })
    return 'never'
  }

export const ENDINGS: readonly Ending[] = [
  {
    name: 'is answered',
    method: 'GET',
    rows: 1,
    status: 200,
    handler: (orm, written) => async () => {
      await orm.transaction(async () => written())
      return 'done'
    },
  },
  {
    name: 'throws',
    method: 'GET',
    rows: 0,
    status: 500,
    handler: (orm, written) => async () => {
      await orm.transaction(async () => {
        written()
        throw new Error('of the handler')
      })
      return 'never'
    },
  },
  {
    name: 'is given up by its client while it waits',
    method: 'GET',
    hangsUp: 'while it waits',
    rows: 0,
    handler: hangInTransaction,
  },
  {
    name: 'is given up by its client after its body was read',
    method: 'POST',
    hangsUp: 'while it waits',
    rows: 0,
    handler: hangInTransaction,
  },
  {
    name: 'is given up by its client in the middle of the answer',
    method: 'GET',
    hangsUp: 'after the first bytes',
    rows: 0,
    handler:
      (orm, written) =>
      async ({ take }) => {
        const response = take()
        await orm.transaction(async (sleep) => {
          response.writeHead(200).write('the first row')
          written()
          await sleep()
        })
        return undefined
      },
  },
  {
    name: 'is answered by a timeout while its handler goes on',
    method: 'GET',
    rows: 0,
    status: 503,
    handler:
      (orm, written) =>
      async ({ take }) => {
        const response = take()
        await orm.transaction(async (sleep) => {
          written()
          response.writeHead(503).end('too slow')
          await sleep()
        })
        return undefined
      },
  },
  {
    name: 'works on after its response',
    method: 'GET',
    rows: 1,
    status: 200,
    isLate: true,
    handler:
      (orm, written) =>
      async ({ response }) => {
        const workOn = async (): Promise<void> => {
          await once(response, 'close')
          await orm.insert()
          written()
        }
        void workOn()
        return 'done'
      },
  },
]
