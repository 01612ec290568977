import { isTrueValue } from './is-true-value.js'
import type { ReadEffect } from './statement-reading.js'

/** Whether what a statement does ends with its transaction, with these values bound to it. */
export function isLocalEffect(
  { isLocal, isLocalIf }: Pick<ReadEffect, 'isLocal' | 'isLocalIf'>,
  values: readonly unknown[] | undefined,
): boolean {
  return isLocalIf === undefined ? isLocal : isTrueValue(values?.[isLocalIf.parameter - 1])
}
