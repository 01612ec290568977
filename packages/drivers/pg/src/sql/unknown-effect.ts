import type { ReadEffect } from './statement-reading.js'

/** Something was done to the session, and nobody knows what. */
export function unknownEffect(name: string): ReadEffect {
  return { does: 'set', kind: 'unknown', name, isTransactional: false, isLocal: false, isLocalIf: undefined }
}
