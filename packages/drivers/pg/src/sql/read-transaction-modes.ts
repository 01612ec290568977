import type { TransactionModes } from './statement-reading.js'
import type { Tokens } from './tokens.js'

type Isolation = NonNullable<TransactionModes['isolation']>

const ISOLATIONS: Readonly<Record<string, Isolation>> = {
  serializable: 'serializable',
  repeatable: 'repeatable read',
  committed: 'read committed',
  uncommitted: 'read uncommitted',
}

/** `ISOLATION LEVEL …, READ ONLY, NOT DEFERRABLE`; the last of its kind holds. */
export function readTransactionModes(tokens: Tokens, from: number, to: number): TransactionModes {
  let isolation: TransactionModes['isolation']
  let readOnly: boolean | undefined
  let deferrable: boolean | undefined
  for (let at = from; at < to; at += 1) {
    if (tokens.says(at, 'isolation', 'level')) {
      const isRead = tokens.word(at + 2) === 'read'
      isolation = ISOLATIONS[tokens.word(at + (isRead ? 3 : 2))] ?? isolation
    } else if (tokens.says(at, 'read', 'only')) readOnly = true
    else if (tokens.says(at, 'read', 'write')) readOnly = false
    else if (tokens.word(at) === 'deferrable') deferrable = tokens.word(at - 1) !== 'not'
  }
  return { isolation, readOnly, deferrable }
}
