import type { Pin, SessionFact } from '@leasehold/core'

/** Where a ledger and the server disagree. */
export interface Disagreement {
  /** On the session, or gone from it, and not in the ledger. */
  readonly missing: readonly string[]
  /** In the ledger, and not on the session. */
  readonly excess: readonly string[]
}

/** What `now` carries that `before` did not, or otherwise. */
export function added(before: readonly SessionFact[], now: readonly SessionFact[]): readonly SessionFact[] {
  return now.filter((fact) => {
    const earlier = before.find((other) => isSame(other, fact))
    return earlier === undefined || earlier.value !== fact.value
  })
}

/** Compares what the ledger holds with what the server says. An `unknown` pin may stand for anything. */
export function compare(
  pins: readonly Pin[],
  baseline: readonly SessionFact[],
  truth: readonly SessionFact[],
): Disagreement {
  const transaction = truth.find(({ kind }) => kind === 'transaction')
  // What ends with the transaction cannot be told from what does not before it has ended.
  if (transaction !== undefined) {
    const isPinned = pins.some(({ kind, name }) => kind === 'transaction' && name === transaction.value)
    return { missing: isPinned ? [] : [told(transaction)], excess: [] }
  }
  const come = added(baseline, truth)
  const gone = baseline.filter((fact) => !truth.some((other) => isSame(other, fact)))
  const isUnknown = pins.some(({ kind }) => kind === 'unknown')
  const covers = (pin: Pin, { kind, name }: SessionFact): boolean =>
    pin.kind === kind && (pin.name === undefined || pin.name === name)
  // What is made out of something temporary, or is another name of it, is temporary as well without a word of it; but one
  // pin has all of them dropped.
  const isCovered = (fact: SessionFact): boolean =>
    pins.some((pin) => covers(pin, fact) || (fact.kind === 'temp' && pin.kind === 'temp'))
  const uncovered = [...come, ...gone].filter((fact) => !isCovered(fact))
  const idle = pins.filter(
    (pin) => pin.kind !== 'unknown' && pin.kind !== 'library' && ![...come, ...gone].some((fact) => covers(pin, fact)),
  )
  return {
    missing: isUnknown ? [] : uncovered.map(told),
    excess: idle.map(({ kind, name, change }) => `${change === 'set' ? '' : 'cleared '}${kind} ${name ?? ''}`),
  }
}

function isSame(one: SessionFact, other: SessionFact): boolean {
  return one.kind === other.kind && one.name === other.name
}

function told({ kind, name, value }: SessionFact): string {
  return `${kind} ${name} ${value ?? ''}`.trim()
}
