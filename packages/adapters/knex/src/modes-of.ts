import type { Isolation, OrmTransactionRequest } from '@leasehold/core'
import type { TransactionConfig } from './knex-internals.js'

const ISOLATIONS: readonly string[] = ['read uncommitted', 'read committed', 'repeatable read', 'serializable']

/** The modes of a transaction of Knex, for one that is declared around it. What the server does not know, it refuses itself. */
export function modesOf(config: TransactionConfig | undefined): NonNullable<OrmTransactionRequest['modes']> {
  const { isolationLevel, readOnly } = config ?? {}
  const isolation = ISOLATIONS.includes(isolationLevel ?? '') ? (isolationLevel as Isolation) : undefined
  return { isolation, readOnly: readOnly === true ? true : undefined }
}
