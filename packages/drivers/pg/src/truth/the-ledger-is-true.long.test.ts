import { afterAll, beforeAll, expect, test } from 'vitest'
import { failuresOf } from './failures-of.js'
import { HARMLESS_STATEMENTS } from './harmless-statements.js'
import { ObservedSession } from './observed-session.js'
import { SESSION_STATEMENTS } from './session-statements.js'
import { inSurroundings } from './surroundings.js'
import { useTruthServer } from './use-truth-server.js'

const server = useTruthServer()
let session: ObservedSession

beforeAll(async () => {
  session = await ObservedSession.open(server.url)
})
afterAll(() => session.close())

test.each(Object.entries({ ...SESSION_STATEMENTS, nothing: HARMLESS_STATEMENTS }))(
  'statements about %s, in all surroundings: the ledger is true after each step, and the next owner meets nothing',
  async (_, statements) => {
    expect(await failuresOf(session, inSurroundings(statements, 1))).toEqual([])
  },
)
