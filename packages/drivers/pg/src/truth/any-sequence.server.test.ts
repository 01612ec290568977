import { afterAll, beforeAll, test } from 'vitest'
import { expectTruth } from './expect-truth.js'
import { lateSteps } from './late-steps.js'
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

test('what comes later than it was said is in the ledger when it comes, and what has another name then is not forgotten', async () => {
  await expectTruth(session, 2_000, { mayHoldMore: true, steps: lateSteps })
})
