import type { Isolation, OrmTransactionRequest } from '@leasehold/core'

interface DrizzleModes {
  readonly isolationLevel?: Isolation
  readonly accessMode?: 'read only' | 'read write'
  readonly deferrable?: boolean
}

/** The modes of a transaction of Drizzle, for one that is declared around it. */
export function modesOf(config: object | undefined): NonNullable<OrmTransactionRequest['modes']> {
  const { isolationLevel, accessMode, deferrable } = (config ?? {}) as DrizzleModes
  return {
    isolation: isolationLevel,
    readOnly: accessMode === undefined ? undefined : accessMode === 'read only',
    deferrable,
  }
}
