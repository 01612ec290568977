import type { OptionRule } from '@leasehold/core'

/** What a user says of functions, by name: they leave the session as it was, or nobody knows how. */
export type DeclaredFunctions = Readonly<Record<string, 'harmless' | 'stateful'>>

export const FUNCTIONS_RULE: OptionRule = {
  expected: `'harmless' or 'stateful' by the names of functions`,
  accepts: (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((said) => said === 'harmless' || said === 'stateful'),
}
