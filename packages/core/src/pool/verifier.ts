import type { Connection } from '../connection/connection.js'
import type { ResolvedPoolOptions } from '../options/pool-options.js'
import type { Driver } from '../ports/driver.js'
import type { Owner } from '../ports/owner.js'
import type { SessionFact } from '../ports/session-effect.js'
import type { Agenda } from './agenda.js'
import { bounded } from './bounded.js'
import type { Reports } from './reports.js'
import type { Verdict } from './verdict.js'

export interface VerifierParts<Client> {
  readonly driver: Driver<Client>
  readonly options: ResolvedPoolOptions<Client>
  readonly patience: Agenda
  readonly reports: Reports<Client>
}

/** How many names of settings are asked for that no server lists by itself. */
const MOST_NAMES = 200
const UNTOLD = { statement: undefined, site: undefined, isRepeatable: false, isOfBaseline: false } as const

/**
 * Asks the server, for a sampled share of the connections that come back, what their sessions carry, and compares that
 * with the ledger: a net under the reading of statements, for whoever wants to know (issue 4, verify mode).
 */
export class Verifier<Client> {
  readonly #parts: VerifierParts<Client>
  /** What each session carried when it was opened. */
  readonly #opened = new WeakMap<Connection<Client>, readonly SessionFact[]>()
  readonly #names = new Set<string>()

  constructor(parts: VerifierParts<Client>) {
    this.#parts = parts
  }

  get isOn(): boolean {
    return this.#parts.options.verifySessions > 0 && this.#parts.driver.truth !== undefined
  }

  /** Whether the connection that comes back now belongs to the sample. */
  isDue(connection: Connection<Client>): boolean {
    return this.isOn && this.#opened.has(connection) && Math.random() < this.#parts.options.verifySessions
  }

  /** Notes what a new session carries. One that refuses to tell is not verified; one that does not answer is not fit. */
  async remember(connection: Connection<Client>): Promise<Verdict> {
    const facts = await this.#ask(connection)
    if (facts !== undefined) this.#opened.set(connection, facts)
    const { isClean, lostBy } = connection.ledger
    if (facts !== undefined || isClean) return { fit: true }
    return { fit: false, reason: 'check-failed', error: lostBy ?? new Error('it did not tell what it carries') }
  }

  /** Compares, and has everything reset where the server tells of something that the ledger does not know. */
  async verify(connection: Connection<Client>, owner: Owner): Promise<void> {
    const { ledger } = connection
    // Before the question itself becomes one of them.
    const statements = [...ledger.history]
    const known = [...ledger.pins, ...ledger.baseline]
    for (const { kind, name } of known) if (kind === 'setting' && name !== undefined) this.#ofNames(name)
    for (const name of ledger.declaredNames) this.#ofNames(name)
    const facts = await this.#ask(connection)
    const opened = this.#opened.get(connection)
    if (facts === undefined || opened === undefined) return
    const declared = new Set(ledger.declaredNames)
    const missing = differences(opened, facts).filter(
      (fact) => !declared.has(fact.name.toLowerCase()) && !known.some((pin) => covers(pin, fact)),
    )
    if (missing.length === 0) return
    this.#parts.reports.ledgerDiffers(connection, owner, { missing, statements })
    const effect = { does: 'set', kind: 'unknown', name: 'found by verification', isTransactional: false } as const
    ledger.book({ is: 'effect', effect, origin: UNTOLD })
  }

  #ofNames(name: string): void {
    if (this.#names.size < MOST_NAMES) this.#names.add(name)
  }

  async #ask(connection: Connection<Client>): Promise<readonly SessionFact[] | undefined> {
    const { driver, options, patience } = this.#parts
    const deadlineAt = options.clock.now() + options.resetTimeoutMs
    const ask = async (signal: AbortSignal): Promise<readonly SessionFact[] | undefined> =>
      driver.truth?.(connection.client, [...this.#names], signal)
    return bounded(patience, deadlineAt, 'asking what the session carries', ask).catch(() => undefined)
  }
}

/** What is in one and not in the other, or there with another value. */
function differences(before: readonly SessionFact[], now: readonly SessionFact[]): readonly SessionFact[] {
  const values = (facts: readonly SessionFact[]): Map<string, string | undefined> =>
    new Map(facts.map(({ kind, name, value }) => [`${kind} ${name}`, value]))
  const [then, since] = [values(before), values(now)]
  return [...now, ...before].filter(({ kind, name }, at, all) => {
    const key = `${kind} ${name}`
    const isFirst = all.findIndex((other) => other.kind === kind && other.name === name) === at
    return isFirst && !(then.has(key) && since.has(key) && then.get(key) === since.get(key))
  })
}

/** Of an unknown effect nobody knows what it covers; a whole kind covers all of it. Temporary things go together. */
function covers(pin: { readonly kind: string; readonly name: string | undefined }, fact: SessionFact): boolean {
  if (pin.kind === 'unknown') return true
  if (pin.kind !== fact.kind) return false
  return pin.name === undefined || pin.kind === 'temp' || pin.kind === 'role' || pin.name === fact.name
}
