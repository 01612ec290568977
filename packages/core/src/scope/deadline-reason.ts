/** Registered, so that scopes of two installed copies, and of the ESM and the CommonJS build, know it of each other. */
const DEADLINE = Symbol.for('leasehold.deadline')

/** The reason of a scope's signal when its deadline has passed. */
export function deadlineReason(label: string): DOMException {
  const reason = new DOMException(`the deadline of scope "${label}" has passed`, 'TimeoutError')
  return Object.assign(reason, { [DEADLINE]: true })
}

/** Whether a signal aborted because the deadline of a scope has passed: for scopes that follow that one. */
export function isDeadlineReason(reason: unknown): boolean {
  return typeof reason === 'object' && reason !== null && DEADLINE in reason
}
