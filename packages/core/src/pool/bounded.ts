import type { Agenda } from './agenda.js'
import { TookTooLongError } from './took-too-long-error.js'

/**
 * Runs `work` with a signal that aborts at `deadlineAt`, and rejects then at the latest, whether or not `work` heeds the
 * signal. What `work` does after that is its own business: its late rejection is swallowed.
 *
 * @param what names the work in the error of a passed deadline.
 */
export async function bounded<R>(
  agenda: Agenda,
  deadlineAt: number,
  what: string,
  work: (signal: AbortSignal) => Promise<R>,
): Promise<R> {
  const controller = new AbortController()
  let takeBack = (): void => {}
  const deadline = new Promise<never>((_resolve, reject) => {
    takeBack = agenda.at(deadlineAt, () => {
      const error = new TookTooLongError(what)
      controller.abort(error)
      reject(error)
    })
  })
  try {
    return await Promise.race([work(controller.signal), deadline])
  } finally {
    takeBack()
  }
}
