import type { EffectOrigin, PinKind, SessionBooking, SessionEffect, TransactionStatus } from '@leasehold/core'
import { isLocalEffect } from '../sql/is-local-effect.js'
import { mayMakeTemporary } from '../sql/may-make-temporary.js'
import type { ReadEffect, StatementReading } from '../sql/statement-reading.js'
import { unknownEffect } from '../sql/unknown-effect.js'
import { withBoundName } from '../sql/with-bound-name.js'
import { BoundPortals } from './bound-portals.js'
import { type Again, LateEffects } from './late-effects.js'
import { perhaps } from './perhaps.js'
import type { StatementKnowledge } from './statement-knowledge.js'
import { SyncGroup, type NotedStatement } from './sync-group.js'

export interface EffectAccountParts extends StatementKnowledge {
  readonly book: (booking: SessionBooking) => void
  /** What a statement did cannot be told before the catalogue of the database is known. */
  readonly doubt: () => void
  /** A statement has done something to the session, if only until its transaction ends. */
  readonly changed: (kind: PinKind, name: string | undefined) => void
  /** SQL has made the server forget a statement that the driver had named; all of them where there is no name. */
  readonly forgotten: (name: string | undefined) => void
}

/** What was used and could not be judged. */
export interface Unjudged {
  readonly functions: ReadonlySet<string>
  readonly relations: ReadonlySet<string>
  /** The session itself has made or dropped functions, triggers or views: what it used may be gone by now. */
  readonly hasChanged: boolean
}

/** The most of a statement that a pin keeps. */
const MOST_TEXT = 2_000
const COMMIT: SessionBooking = { is: 'commit' }
const ROLLBACK: SessionBooking = { is: 'rollback' }
const CHANGED: ReadEffect = unknownEffect('functions or triggers of its own making')
const LOST_COUNT: ReadEffect = unknownEffect('statements that could not be told apart')
const FETCHING: ReadonlySet<string> = new Set(['FETCH', 'MOVE', 'DO', 'CALL'])
const TEMPORARY: SessionEffect = { does: 'set', kind: 'temp', name: undefined, isTransactional: true }

/**
 * Keeps account of which statements do something to the session, and books it when the server's "ready" has come: a batch
 * that fails undoes what its command tags announced (facts: session-state §0.1).
 */
export class EffectAccount {
  readonly #parts: EffectAccountParts
  /** Sent and closed by a Sync, or by being a simple Query; the first is being answered. */
  readonly #closed: SyncGroup[] = []
  /** Messages were sent for it, and no Sync. */
  #open: SyncGroup | undefined
  readonly #portals = new BoundPortals()
  readonly #functions = new Set<string>()
  readonly #relations = new Set<string>()
  #hasChangedFunctions = false
  readonly #late = new LateEffects<SessionBooking>()

  constructor(parts: EffectAccountParts) {
    this.#parts = parts
  }

  simple(text: string | undefined): void {
    const group = new SyncGroup()
    this.#closed.push(group)
    if (text === undefined) return
    const reading = this.#parts.read(text)
    group.sent = reading.statements.length
    if (this.#isNothing(reading)) return
    for (const [position, statement] of reading.statements.entries()) {
      group.note({ position, statement, text, values: undefined, bindsBefore: undefined })
    }
  }

  /** A Parse of an unnamed statement; those with names are known by the connection. */
  parsed(text: string | undefined): void {
    this.#extended()
    this.#portals.parsed(text)
  }

  /** @param named the text of the named statement that is bound; undefined for the unnamed one. */
  bound(portal: string | undefined, named: string | undefined, values: readonly unknown[] | undefined): void {
    this.#extended().bindsSent += 1
    this.#portals.bind(portal, named, values)
  }

  executed(portal: string | undefined): void {
    const group = this.#extended()
    const position = group.sent++
    const bound = this.#portals.boundTo(portal)
    if (bound?.text === undefined) return
    const { text, values } = bound
    const reading = this.#parts.read(text)
    if (this.#isNothing(reading)) return
    const [statement] = reading.statements
    if (statement !== undefined) {
      group.note({ position, statement, text, values, bindsBefore: Math.max(0, group.bindsSent - 1) })
    }
  }

  synced(): void {
    this.#closed.push(this.#open ?? new SyncGroup())
    this.#open = undefined
  }

  /** The server waits for COPY data, and has ignored the Sync that was sent with it. */
  reopened(): void {
    this.#open ??= this.#closed.pop()
  }

  bindAnswered(): void {
    const group = this.#answering
    if (group !== undefined) group.bound += 1
  }

  completed(tag: string | undefined): void {
    this.#answering?.complete(tag)
  }

  /** An empty text counts as a statement only where it was executed by name. */
  empty(): void {
    const group = this.#answering
    if (group?.isExtended === true) group.complete(undefined)
  }

  failed(error: object): void {
    const group = this.#answering
    if (group !== undefined) group.failure ??= error
  }

  /** The server is ready: what its answers announced is now so. */
  ready(status: TransactionStatus): void {
    const group = this.#closed.shift()
    if (status === 'idle' && this.#answering === undefined) this.#portals.forget()
    if (group?.noted === undefined) return
    // Several in one text are one transaction, in which nothing can commit by itself.
    const isAlone = group.isExtended || group.sent === 1
    for (const noted of group.noted) {
      if (noted.position < group.completed) this.#done(noted, group.tags?.get(noted.position))
      else {
        if (noted.position === group.completed && group.failure !== undefined && group.hasRun(noted))
          this.#broken(noted, isAlone && status === 'idle')
        if (group.failure === undefined) this.#effect(LOST_COUNT, noted, this.#originOf(noted))
        break
      }
    }
    if (status !== 'idle') return
    // Without an explicit transaction, what was sent together is one.
    if (group.failure === undefined) this.#commit()
    else this.#rollback()
  }

  /** What nobody knows yet of what was done since the last time, if there is any. */
  takeUnjudged(): Unjudged | undefined {
    const functions = new Set(this.#functions)
    const relations = new Set(this.#relations)
    const hasChanged = this.#hasChangedFunctions
    this.#functions.clear()
    this.#relations.clear()
    this.#hasChangedFunctions = false
    return functions.size + relations.size === 0 && !hasChanged ? undefined : { functions, relations, hasChanged }
  }

  /** Whether there is nothing to note: so it is with nearly every statement. */
  #isNothing(reading: StatementReading): boolean {
    const { isLoaded, hasStatefulRelations } = this.#parts.catalogue
    return reading.isPlain && isLoaded && !hasStatefulRelations && !this.#late.mayCome
  }

  get #answering(): SyncGroup | undefined {
    return this.#closed[0] ?? this.#open
  }

  #extended(): SyncGroup {
    this.#open ??= new SyncGroup()
    this.#open.isExtended = true
    return this.#open
  }

  #done(noted: NotedStatement, tag: string | undefined): void {
    const { command, control, effects, functions, relations, changesFunctions, runsInTransaction } = noted.statement
    if (changesFunctions) {
      this.#parts.catalogue.forget()
      this.#hasChangedFunctions = true
      this.#parts.doubt()
    }
    const used = changesFunctions ? [] : this.#effectsOf(relations)
    // Routines may fetch as well.
    if (FETCHING.has(command) || functions.length > 0) this.#comeAgain('at-fetch')
    if (control === undefined && effects.length + functions.length + used.length === 0) return
    const origin = this.#originOf(noted)
    switch (control?.is) {
      case 'begin':
        this.#parts.book({ is: 'begin', origin })
        break
      case 'commit':
      case 'prepare-transaction':
        // The tag of a COMMIT that could only roll back says so.
        if (tag === 'ROLLBACK') this.#rollback()
        else this.#commit()
        // Whoever has read the catalogue meanwhile has not seen what this makes true.
        if (this.#hasChangedFunctions) this.#parts.catalogue.forget()
        break
      case 'rollback':
        this.#rollback()
        break
      case 'savepoint':
      case 'release-savepoint':
      case 'rollback-to-savepoint':
        this.#parts.book(control)
        break
      case 'set-modes':
      case undefined:
    }
    // The query of a cursor runs when it is fetched from, that of one WITH HOLD also at the transaction's end; triggers may
    // be deferred; and a function may have opened a cursor.
    const isCursor = command === 'DECLARE CURSOR'
    const again = isCursor && effects.some(({ kind, isLocal }) => kind === 'cursor' && !isLocal) ? 'at-end' : 'at-fetch'
    for (const effect of effects) {
      this.#effect(effect, noted, origin, isCursor && effect.kind !== 'cursor' ? again : undefined)
    }
    for (const effect of used) this.#effect(effect, noted, origin, 'at-end')
    for (const name of functions) this.#called(name, (effect) => this.#effect(effect, noted, origin, again))
    // What cannot run in a transaction is committed by itself, whatever becomes of what was sent along with it.
    if (!runsInTransaction) this.#parts.book(COMMIT)
  }

  #commit(): void {
    this.#comeAgain('at-end')
    this.#late.forget()
    this.#parts.book(COMMIT)
  }

  #rollback(): void {
    this.#late.forget()
    this.#parts.book(ROLLBACK)
  }

  #comeAgain(when: Again): void {
    for (const booking of this.#late.due(when)) this.#parts.book(booking)
  }

  /** A statement failed half-way: what no rollback undoes may have happened. */
  #broken(noted: NotedStatement, couldCommit: boolean): void {
    const { command, effects, functions, relations, runsInTransaction } = noted.statement
    const origin = this.#originOf(noted)
    // A procedure may have committed a part of what it did.
    const isProcedure = (command === 'CALL' || command === 'DO') && functions.length > 0
    const mayHaveCommitted = couldCommit && (isProcedure || !runsInTransaction)
    const book = (effect: ReadEffect): void => {
      if (mayHaveCommitted || !effect.isTransactional) this.#effect(perhaps(effect), noted, origin)
    }
    for (const effect of effects) book(effect)
    for (const effect of this.#effectsOf(relations)) book(effect)
    for (const name of functions) this.#called(name, book)
  }

  /** What the use of tables and views does besides what the statement says. */
  #effectsOf(relations: readonly string[]): readonly ReadEffect[] {
    const { catalogue, doubt } = this.#parts
    if (relations.length > 0 && !catalogue.isLoaded) {
      for (const name of relations) this.#relations.add(name)
      doubt()
      // What the session itself has just made is not there for nothing.
      if (this.#hasChangedFunctions) return [CHANGED]
    }
    return relations.flatMap((name) => catalogue.effectsOfRelation(name))
  }

  #called(name: string, book: (effect: ReadEffect) => void): void {
    const effects = this.#parts.catalogue.effectsOf(name)
    if (effects === 'unjudged') {
      this.#functions.add(name)
      book(unknownEffect(`function ${name}`))
    } else {
      for (const effect of effects) book(effect)
    }
  }

  /** @param again when it may happen once more within the transaction, if it may. */
  #effect(effect: ReadEffect, { values }: NotedStatement, origin: EffectOrigin, again?: Again): void {
    const known = withBoundName(effect, values)
    if (known === undefined) return
    const { does, kind, name, isTransactional } = known
    this.#parts.changed(kind, name)
    if (name === 'search_path' && values?.some((value) => typeof value === 'string' && mayMakeTemporary(value)))
      this.#parts.book({ is: 'effect', effect: TEMPORARY, origin })
    if (isLocalEffect(effect, values)) return
    if (kind === 'prepared' && does === 'clear') this.#parts.forgotten(name)
    // A name that should have been bound and was not: of a `clear` it would mean the whole kind.
    const isUntold = does === 'clear' && name === undefined && effect.name !== undefined
    const made = { does: isUntold ? 'touch' : does, kind, name, isTransactional } as const
    const booking: SessionBooking = { is: 'effect', effect: made, origin }
    this.#parts.book(booking)
    if (does !== 'set') this.#late.cleared(kind)
    else if (again !== undefined) this.#late.note(kind, again, booking)
  }

  #originOf({ text, values }: NotedStatement): EffectOrigin {
    const isWhole = text.length <= MOST_TEXT
    return {
      statement: isWhole ? text : text.slice(0, MOST_TEXT),
      site: this.#parts.siteOf(text),
      isRepeatable: isWhole && (values === undefined || values.length === 0),
      isOfBaseline: this.#parts.isIntroduction(text),
    }
  }
}
