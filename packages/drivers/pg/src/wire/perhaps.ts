import type { ReadEffect } from '../sql/statement-reading.js'

/** The same of a statement that failed: it may have come to that, and then no rollback undoes it. */
export function perhaps(effect: ReadEffect): ReadEffect {
  return { ...effect, does: effect.does === 'clear' ? 'touch' : effect.does, isTransactional: false }
}
