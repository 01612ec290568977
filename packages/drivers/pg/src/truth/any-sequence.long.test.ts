import type * as pg from 'pg'
import type { LeaseholdOptions } from '../facade/facade-options.js'
import { expect, test } from 'vitest'
import { expectTruth } from './expect-truth.js'
import { ObservedSession } from './observed-session.js'
import { useTruthServer } from './use-truth-server.js'

/** `LEASEHOLD_SEQUENCE_SECONDS=600 npm run test:long` for longer ones. */
const SECONDS = Number(process.env['LEASEHOLD_SEQUENCE_SECONDS'] ?? (process.env['CI'] ? 35 : 120))

const server = useTruthServer()

test.each<[string, ((client: pg.ClientBase) => Promise<unknown>) | undefined, LeaseholdOptions?]>([
  ['a new session', undefined],
  ['one that keeps statements', undefined, { preparedStatements: { afterUses: 1, max: 8 } }],
  [
    'one that hooks have prepared',
    async (client) => {
      await client.query(`set work_mem = '3MB'`)
      await client.query(`set app.other = 'of the hook'`)
      await client.query('listen one')
      await client.query('prepare one as select 1')
    },
  ],
])(
  'thousands of random sequences: the ledger of %s is true, and the next owner meets it as it was',
  async (_, prepare, leasehold) => {
    const session = await ObservedSession.open(server.url, prepare, leasehold)
    await expectTruth(session, SECONDS * 1_000, { mayHoldMore: prepare !== undefined })
    expect(session.pool.snapshot().connections.total).toBe(1)
    await session.close()
  },
  (SECONDS + 60) * 1_000,
)
