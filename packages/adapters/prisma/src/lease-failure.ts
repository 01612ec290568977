import { findLeaseholdError, type LeaseholdError } from '@leasehold/core'

/**
 * Carries an error of ours through Prisma. What has a `code` of its own Prisma replaces with an error that remembers
 * nothing but its text; what has none it hands on.
 */
export class LeaseFailure extends Error {
  declare readonly cause: LeaseholdError

  constructor(cause: LeaseholdError) {
    super(cause.message, { cause })
    this.name = 'LeaseFailure'
  }
}

/** Our error in what Prisma's engine threw; also where it stands for a driver's error that Prisma has translated. */
export function leaseholdErrorBehind(error: unknown): LeaseholdError | undefined {
  const meta = (error as { meta?: { driverAdapterError?: unknown } } | undefined)?.meta
  return findLeaseholdError(error) ?? findLeaseholdError(meta?.driverAdapterError)
}
