import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/**
 * Has everything collected that nobody can reach, and what waits for that be told. Twice: what one collection has freed may
 * have been all that kept something else.
 */
export async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 2; round += 1) {
    // What a function that has just returned had in its registers is gone a turn later.
    await new Promise(setImmediate)
    collect()
    await new Promise(setImmediate)
  }
}
