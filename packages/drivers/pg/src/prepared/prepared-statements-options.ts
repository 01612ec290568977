import {
  examineOptions,
  flag,
  type OptionFault,
  type OptionRule,
  printReceived,
  type RulesFor,
  wholeNumber,
} from '@leasehold/core'

/** Which statements the server's sessions keep. */
export interface PreparedStatementsOptions {
  /** A text is kept from so many uses on, counted over all connections of the pool. @default 5 */
  readonly afterUses?: number | undefined
  /** So many statements are kept on each connection; of more, those that were not used for longest go. @default 256 */
  readonly max?: number | undefined
  /** Longer texts, in characters, are sent as they are. @default 8192 */
  readonly maxTextLength?: number | undefined
}

/** The same, with all that was not said. */
export interface ResolvedPreparedStatements {
  readonly afterUses: number
  readonly max: number
  readonly maxTextLength: number
}

const RULES: RulesFor<PreparedStatementsOptions> = {
  afterUses: wholeNumber(1),
  max: wholeNumber(1),
  maxTextLength: wholeNumber(1),
}

const EXPECTED = 'true, false, or an object with options'

export const PREPARED_STATEMENTS_RULE: OptionRule = {
  expected: EXPECTED,
  accepts: (value) => flag.accepts(value) || (isObject(value) && faultsOf(value).length === 0),
  faults: (option, value) =>
    isObject(value)
      ? faultsOf(value).map((fault) => ({ ...fault, option: `${option}.${fault.option}` }))
      : [{ option, expected: EXPECTED, received: printReceived(value) }],
}

/** Why statements cannot be kept, where something else was said with which that makes no sense. */
export function contradictions(
  given: boolean | PreparedStatementsOptions | undefined,
  { behind, compat, observe }: { readonly behind?: unknown; readonly compat?: unknown; readonly observe?: unknown },
): readonly OptionFault[] {
  if (given === undefined || given === false) return []
  const option = 'preparedStatements'
  const received = given === true ? 'true' : 'an object'
  const printed = printReceived(behind)
  const fault = (expected: string): OptionFault => ({ option, received, expected })
  return [
    ...(behind === undefined || behind === 'nothing'
      ? []
      : [fault(`false behind ${printed}, which hands sessions on`)]),
    ...(compat === undefined ? [] : [fault(`false with compat, whose clients are as pg's own`)]),
    ...(observe === true ? [fault('false with observe, which leaves everything as it was')] : []),
  ]
}

/** With all defaults; undefined where statements are sent as they come. */
export function resolvePreparedStatements(
  given: boolean | PreparedStatementsOptions | undefined,
): ResolvedPreparedStatements | undefined {
  if (given === undefined || given === false) return undefined
  const { afterUses = 5, max = 256, maxTextLength = 8_192 } = given === true ? {} : given
  return { afterUses, max, maxTextLength }
}

function faultsOf(value: object): readonly OptionFault[] {
  const { faults, unknown } = examineOptions(value, RULES)
  return [...faults, ...unknown]
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
