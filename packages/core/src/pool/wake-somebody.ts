import type { Agenda } from './agenda.js'
import type { WakeUp } from './wake-up.js'

/** Calls `callback` at `at`, for which somebody waits: the process lives until then. Returns what takes it back. */
export function wakeSomebody(
  { agenda, wakeUp }: { readonly agenda: Agenda; readonly wakeUp: WakeUp },
  at: number,
  callback: () => void,
): () => void {
  let isDue = true
  const letGo = (): void => {
    if (isDue) wakeUp.letGo()
    isDue = false
  }
  wakeUp.hold()
  const takeBack = agenda.at(at, () => {
    letGo()
    callback()
  })
  return () => {
    takeBack()
    letGo()
  }
}
