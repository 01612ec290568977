/** Whether connections may be opened, with what belongs to each answer. */
export type BreakerState =
  | { readonly is: 'closed' }
  /** None may, before `probeAt`; then one is tried. */
  | {
      readonly is: 'open'
      readonly since: number
      readonly probeAt: number
      /** How many probes have failed since it opened. */
      readonly failedProbes: number
      /** As part of a sentence: `5 attempts in a row failed`. */
      readonly why: string
      readonly cause: unknown
    }
  /** One is being tried. */
  | {
      readonly is: 'half-open'
      readonly since: number
      readonly failedProbes: number
      readonly why: string
      readonly cause: unknown
    }
  /** By hand: none may, whatever is seen. */
  | { readonly is: 'forced-open' }
  /** By hand: they may, whatever is seen. */
  | { readonly is: 'forced-closed' }
