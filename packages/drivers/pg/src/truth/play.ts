import type * as pg from 'pg'
import { untilQuiet } from '../testing/until-quiet.js'
import { sendStep } from './send-step.js'
import type { Step } from './step.js'

/** Sends a step, and returns the error that came of it, when the server is ready again. */
export async function play(client: pg.Client, step: Step): Promise<Error | undefined> {
  const error = await sendStep(client, step).then(
    () => undefined,
    (reason: unknown) => reason as Error,
  )
  await untilQuiet(client)
  return error
}
