import { LeaseholdError } from './leasehold-error.js'

/** Why a statement was not let run to its end. */
export type StatementAbortReason = 'signal' | 'deadline' | 'closed' | 'query-timeout'

export interface StatementAbortedFacts {
  readonly pool: string
  readonly why: StatementAbortReason
  /** The scope's, or the lease's. */
  readonly label: string
  /** Whether a transaction was open on the session, which can only be rolled back now. */
  readonly inTransaction: boolean
  /** Set with `query-timeout`. */
  readonly queryTimeoutMs?: number | undefined
  readonly cause?: unknown
}

const WHAT: Readonly<Record<StatementAbortReason, (facts: StatementAbortedFacts) => string>> = {
  signal: ({ label }) => `the signal of scope "${label}" aborted`,
  deadline: ({ label }) => `the deadline of scope "${label}" has passed`,
  closed: ({ label }) => `scope "${label}" was closed before its work had ended`,
  'query-timeout': ({ label, queryTimeoutMs }) => `it ran for more than ${queryTimeoutMs} ms in "${label}"`,
}

const REMEDY: Readonly<Record<StatementAbortReason, string>> = {
  signal: 'Set cancelOnAbort: false where a statement shall end by itself',
  deadline: 'Give the scope more time, or make its statements faster',
  closed: 'Set cancelOnAbort: false where a statement shall end by itself',
  'query-timeout': 'Make the statement faster, or raise queryTimeoutMs',
}

/**
 * A statement was cancelled while it ran, or not sent any more, because its scope had aborted or its time was up. The error
 * comes at once, before the server has heeded the cancel: one that stood alone and was about to end may have done its work.
 * In a transaction nothing of it stays.
 */
export class StatementAbortedError extends LeaseholdError {
  readonly why: StatementAbortReason
  readonly inTransaction: boolean

  constructor(facts: StatementAbortedFacts) {
    const transaction = facts.inTransaction ? '; the transaction that it was part of is rolled back' : ''
    super({
      code: 'LEASEHOLD_ABORTED',
      phase: 'statement',
      what: `a statement on pool "${facts.pool}" was cancelled: ${WHAT[facts.why](facts)}${transaction}`,
      remedy: REMEDY[facts.why],
      pool: facts.pool,
      cause: facts.cause,
      retryAfterMs: facts.why === 'deadline' ? 1_000 : undefined,
    })
    this.name = 'StatementAbortedError'
    this.why = facts.why
    this.inTransaction = facts.inTransaction
  }
}
