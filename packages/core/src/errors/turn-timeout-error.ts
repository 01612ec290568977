import { LeaseholdError } from './leasehold-error.js'

/** Somebody who has the turn in a transaction, or a stream that is being read there. */
export interface TurnHolder {
  readonly label: string
  /** Where it was asked for, if that was captured. */
  readonly site: string | undefined
}

export interface TurnTimeoutFacts {
  readonly pool: string
  /** Who waited. */
  readonly label: string
  readonly waitedMs: number
  readonly holder: TurnHolder
  /** What the holder does there: `works in it`, or the stream that it reads. */
  readonly doing: string
  readonly remedy: string
}

/** Something waited for its turn in a transaction that several share, and its deadline came first. Nothing was sent. */
export class TurnTimeoutError extends LeaseholdError {
  readonly label: string
  readonly waitedMs: number
  readonly holder: TurnHolder

  constructor({ pool, label, waitedMs, holder, doing, remedy }: TurnTimeoutFacts) {
    const at = holder.site === undefined ? '' : ` ${holder.site}`
    super({
      code: 'LEASEHOLD_ACQUIRE_TIMEOUT',
      phase: 'transaction',
      what:
        `${label} waited ${Math.round(waitedMs)} ms for its turn in a transaction that it shares on pool "${pool}", ` +
        `in which ${holder.label}${at} ${doing}`,
      remedy,
      pool,
    })
    this.name = 'TurnTimeoutError'
    this.label = label
    this.waitedMs = waitedMs
    this.holder = holder
  }
}
