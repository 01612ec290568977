import { afterAll, beforeAll, test } from 'vitest'
import { expectTruth } from './expect-truth.js'
import { ObservedSession } from './observed-session.js'
import { useTruthServer } from './use-truth-server.js'

const server = useTruthServer()
let session: ObservedSession

beforeAll(async () => {
  session = await ObservedSession.open(server.url)
})
afterAll(() => session.close())

test('whatever is sent, in whatever order and however it fails: the ledger is true after each step, and the next owner meets nothing', async () => {
  await expectTruth(session, 6_000)
})
