import type { ErrorKind } from '@leasehold/core'
import { FakeDriverError } from './fake-driver-error.js'
import { Gate } from './gate.js'

/** What a fake can be told the outcome of. `ready` is the server's "ready" after a failed statement. */
export const STEPS = ['connect', 'check', 'reset', 'close', 'quiesce', 'cancel', 'query', 'ready'] as const
export type Step = (typeof STEPS)[number]

/**
 * How a step ends: at once and well (`ok`), at once and badly (`error`, or an error of the test's own), when the test
 * opens its gate (`slow`), or not at all (`never`).
 */
export type Outcome = 'ok' | 'error' | 'slow' | 'never' | Error

const KIND_OF: Record<Step, ErrorKind> = {
  connect: 'transient',
  check: 'fatal',
  reset: 'fatal',
  close: 'fatal',
  quiesce: 'fatal',
  cancel: 'transient',
  query: 'query',
  ready: 'fatal',
}

/** What a fake does at each of its steps. */
export class Script {
  readonly #usual = new Map<Step, Outcome>()
  readonly #next = new Map<Step, Outcome[]>()
  readonly #gates = new Map<Step, Gate[]>()

  /** What the step does from now on. */
  always(step: Step, outcome: Outcome): void {
    this.#usual.set(step, outcome)
  }

  /** What the step does the next times, one outcome each; then it does the usual again. */
  next(step: Step, ...outcomes: readonly Outcome[]): void {
    this.#next.set(step, [...(this.#next.get(step) ?? []), ...outcomes])
  }

  /** Takes back what was said of the next times. */
  forget(step: Step): void {
    this.#next.delete(step)
  }

  /** The closed gates of slow steps, the oldest first. */
  gatesOf(step: Step): readonly Gate[] {
    return (this.#gates.get(step) ?? []).filter((gate) => gate.isClosed)
  }

  /** Opens the oldest closed gate of a slow step. */
  open(step: Step): void {
    const [gate] = this.gatesOf(step)
    if (gate === undefined) throw new Error(`nobody stands at a gate of ${step}`)
    gate.open()
  }

  /** Lets the oldest slow step fail. */
  fail(step: Step, error: Error = errorOf(step)): void {
    const [gate] = this.gatesOf(step)
    if (gate === undefined) throw new Error(`nobody stands at a gate of ${step}`)
    gate.fail(error)
  }

  /** Opens every closed gate, of one step or of all. */
  openAll(steps: readonly Step[] = STEPS): void {
    for (const step of steps) for (const gate of this.gatesOf(step)) gate.open()
  }

  /** Plays one step. If there is a signal, its abort ends the step badly, whatever its outcome was to be. */
  play(step: Step, signal?: AbortSignal): Promise<void> {
    const outcome = this.#next.get(step)?.shift() ?? this.#usual.get(step) ?? 'ok'
    const gate = new Gate()
    if (outcome === 'ok') gate.open()
    else if (outcome === 'error') gate.fail(errorOf(step))
    else if (outcome instanceof Error) gate.fail(outcome)
    else if (outcome === 'slow') this.#gates.set(step, [...this.gatesOf(step), gate])
    return signal === undefined ? gate.promise : unlessAborted(gate, signal)
  }
}

function errorOf(step: Step): FakeDriverError {
  return new FakeDriverError(`the fake ${step} failed`, KIND_OF[step])
}

function unlessAborted(gate: Gate, signal: AbortSignal): Promise<void> {
  const aborted = new FakeDriverError('the fake step was aborted', 'transient')
  if (signal.aborted) return Promise.reject(aborted)
  const abort = (): void => gate.fail(aborted)
  signal.addEventListener('abort', abort, { once: true })
  return gate.promise.finally(() => signal.removeEventListener('abort', abort))
}
