import {
  callable,
  examineOptions,
  nonEmptyText,
  type OptionFault,
  type OptionRule,
  type RulesFor,
} from '@leasehold/core'
import type { PrismaPg } from '@prisma/adapter-pg'

type PrismaPgOptions = NonNullable<ConstructorParameters<typeof PrismaPg>[1]>

/** What `new PrismaPg(pool, options)` takes, but for what would end the pool: it is shared. */
export type PrismaAdapterOptions = Omit<PrismaPgOptions, 'disposeExternalPool'>

const leftOut: OptionRule = {
  expected: 'to be left out: the pool is shared and outlives its clients, end it with pool.end()',
  accepts: (value) => value === false,
}

const RULES: RulesFor<PrismaPgOptions> = {
  schema: nonEmptyText,
  onPoolError: callable,
  onConnectionError: callable,
  userDefinedTypeParser: callable,
  statementNameGenerator: callable,
  disposeExternalPool: leftOut,
}

/** What is wrong with options for Prisma's adapter. */
export function checkAdapterOptions(options: unknown): readonly OptionFault[] {
  const { faults, unknown } = examineOptions(options, RULES)
  return [...faults, ...unknown]
}
