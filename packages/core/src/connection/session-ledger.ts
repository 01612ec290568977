import type { DeclaredSettings } from '../options/declared-settings.js'
import type { PinKind } from '../events/pin.js'
import type { Clock } from '../ports/clock.js'
import type { LedgerView, SessionObserver, TransactionStatus } from '../ports/driver.js'
import type { EffectOrigin, PinRecord, SessionBooking, SessionEffect } from '../ports/session-effect.js'
import type { SettingsDifference } from '../ports/settings.js'
import { SessionEffects } from './session-effects.js'
import { SessionSettings } from './session-settings.js'

/** What the ledger tells as it happens. */
export interface LedgerListener {
  /** Called once, when the session dies. */
  lost(): void
  /** A statement has pinned the session to its owner. */
  pinned(pin: PinRecord): void
  /** A transaction is open that was not. */
  begun(): void
  /** Something was sent at `at`; without it, nobody looks at the clock each time. */
  sent?(at: number): void
  /** The server has answered a statement with an error. Returns whether it takes no writes, as far as this tells. */
  failed(error: unknown): boolean
}

const NONE: readonly PinRecord[] = []
const MOST_HISTORY = 32
const UNSEEN: EffectOrigin = { statement: undefined, site: undefined, isRepeatable: false, isOfBaseline: false }

/**
 * What the wire has told about one session: whether it is busy, what its transaction is, whether it is dead, and how
 * long the database has worked for it. The driver writes it as the session's observer; the pool reads it at release.
 */
export class SessionLedger implements SessionObserver, LedgerView {
  readonly #clock: Clock
  readonly #listener: LedgerListener
  readonly #history: string[] | undefined
  /** When something was last sent, where the listener wants to know. */
  sentAt: number | undefined
  #transaction: TransactionStatus = 'idle'
  #isQuiet = true
  #isSettling = false
  #lostBy: Error | undefined
  #statement: string | undefined
  #answeredAt: number | undefined
  #busySince = 0
  #busyTotal = 0
  #whenQuiet: Array<() => void> = []
  /** Made by the first booking: most sessions never carry anything. */
  #effects: SessionEffects | undefined
  #begun: { readonly origin: EffectOrigin; readonly since: number } | undefined
  #hasBegun = false
  #isBaselineSettled = false
  #isDoubtful = false
  #hasRefusedWrites = false
  #preparing = 0
  /** Made by the first owner that declares any: most sessions never do. */
  #settings: SessionSettings | undefined
  #asked: SettingsDifference | undefined

  /** @param keepsHistory whether the owner's statements are kept, for a report that may need them. */
  constructor(clock: Clock, listener: LedgerListener, keepsHistory = false) {
    this.#clock = clock
    this.#history = keepsHistory ? [] : undefined
    this.#listener = listener
  }

  get transaction(): TransactionStatus {
    return this.#transaction
  }

  get isQuiet(): boolean {
    return this.#isQuiet
  }

  /** The session is busy, but only the server's "ready" is still to come: no cancel is needed. */
  get isSettling(): boolean {
    return this.#isSettling
  }

  get lostBy(): Error | undefined {
    return this.#lostBy
  }

  /** The last statement as it was sent, literals and all: it must be redacted before anybody sees it. */
  get statement(): string | undefined {
    return this.#statement
  }

  /** Nothing runs, nothing is open or left, and the session lives: it can go to its next owner as it is. */
  get isClean(): boolean {
    return (
      this.#isQuiet &&
      this.#transaction === 'idle' &&
      this.#lostBy === undefined &&
      !this.needsReset &&
      !this.#hasRefusedWrites
    )
  }

  /** Whether the session differs from what its first owner met, an open transaction aside. */
  get isPinned(): boolean {
    return this.#effects !== undefined && this.#effects.size > 0
  }

  /** Whether the driver must see the session before its next owner, an open transaction aside: it is pinned, or in doubt. */
  get needsReset(): boolean {
    return this.#isDoubtful || this.isPinned
  }

  /** Whether a statement was refused because the server takes no writes, or its owner's transaction did not. */
  get hasRefusedWrites(): boolean {
    return this.#hasRefusedWrites
  }

  /** How the session differs from what its first owner met. An open or failed transaction is one of the differences. */
  get pins(): readonly PinRecord[] {
    if (!this.isPinned && this.#transaction === 'idle') return NONE
    const pins = [...(this.#effects?.pins ?? NONE)]
    if (this.#transaction === 'idle') return pins
    const { origin, since } = this.#begun ?? { origin: UNSEEN, since: this.#answeredAt ?? 0 }
    return [...pins, { ...origin, since, kind: 'transaction', name: this.#transaction, change: 'set', times: 1 }]
  }

  /** Whether its owner has begun a transaction, as far as the driver tells. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** What hooks did to the session before its first owner came; every owner meets it. */
  get baseline(): readonly PinRecord[] {
    return this.#effects === undefined ? NONE : [...this.#effects.baseline]
  }

  /** The owner's last statements as they were sent, oldest first, where they are kept. */
  get history(): readonly string[] {
    return this.#history ?? []
  }

  /** Settings that owners have declared and that the session may carry. */
  get declaredNames(): readonly string[] {
    return this.#settings?.names ?? []
  }

  /** When the server last had answered everything; undefined as long as the driver has told of no answer. */
  get answeredAt(): number | undefined {
    return this.#answeredAt
  }

  /** Since when it is not quiet; undefined when it is. */
  get busySince(): number | undefined {
    return this.#isQuiet ? undefined : this.#busySince
  }

  /** Milliseconds the database has worked for this session so far. */
  busyMs(now: number): number {
    return this.#isQuiet ? this.#busyTotal : this.#busyTotal + (now - this.#busySince)
  }

  /** Calls `callback` once: when the session is quiet or dead, at once if it is. */
  onQuiet(callback: () => void): void {
    if (this.#isQuiet) callback()
    else this.#whenQuiet.push(callback)
  }

  /** Begins a new owner's page: a report about this one must not show the last one's statement. */
  turnPage(): void {
    this.#statement = undefined
    this.#history?.splice(0)
    this.#hasBegun = false
    if (this.#isBaselineSettled) return
    this.#isBaselineSettled = true
    this.#effects?.settleBaseline()
  }

  /** What `work` does to the session is the session's own: every owner shall meet it. */
  async prepare<T>(work: () => PromiseLike<T> | T): Promise<T> {
    this.#preparing += 1
    try {
      return await work()
    } finally {
      this.#preparing -= 1
    }
  }

  /** What is in doubt is let pass. */
  trust(): void {
    this.#isDoubtful = false
    this.#hasRefusedWrites = false
  }

  /** Whether the server takes writes has been found out. */
  settleWrites(): void {
    this.#hasRefusedWrites = false
  }

  /** The driver has made the session as its first owner met it. */
  restored(): void {
    if (this.#settings !== undefined) {
      // What hooks had set is theirs again; to take it away from the next owner would take theirs.
      for (const { kind, name } of this.baseline)
        if (this.#isPinnedBy(kind, name)) this.#settings.forget(settingOf({ kind, name }))
      // What became of the others is the driver's choice, and its user's: the next owner has them set, or taken away.
      this.#settings.touch(undefined)
    }
    this.#effects?.restored()
    this.#isDoubtful = false
  }

  #isPinnedBy(kind: PinKind, name: string | undefined): boolean {
    return this.pins.some((pin) => pin.kind === kind && (pin.name === undefined || pin.name === name))
  }

  /** Whether the session carries just the settings of `wanted`. */
  carries(wanted: DeclaredSettings | undefined): boolean {
    return this.#settings === undefined ? wanted === undefined : this.#settings.carries(wanted)
  }

  /** What must change for the session to carry just these settings; the driver is going to be told. */
  ask(wanted: DeclaredSettings | undefined): SettingsDifference {
    this.#settings ??= new SessionSettings()
    return (this.#asked = this.#settings.differenceTo(wanted))
  }

  /** Whether the driver was told of settings that have not been made. */
  get owesSettings(): boolean {
    return this.#asked !== undefined
  }

  /** The driver has been told to forget what it was told. */
  askNoMore(): void {
    this.#asked = undefined
  }

  declared(difference: SettingsDifference): void {
    if (this.#asked === difference) this.#asked = undefined
    this.#settings ??= new SessionSettings()
    this.#settings.book(difference)
    // What hooks had set must come back with the owner's end, and only a reset can do that.
    for (const { kind, name } of this.baseline) {
      if (!difference.set.some(([setting]) => setting === (kind === 'role' ? kind : name?.toLowerCase()))) continue
      const origin = { statement: undefined, site: undefined, isRepeatable: false, isOfBaseline: false }
      this.#book({ is: 'effect', effect: { does: 'set', kind, name, isTransactional: false }, origin })
    }
  }

  book(booking: SessionBooking): void {
    if (booking.is === 'effect') this.#settings?.touch(settingOf(booking.effect))
    this.#book(booking)
  }

  #book(booking: SessionBooking): void {
    if (booking.is === 'begin') {
      this.#hasBegun = true
      this.#begun = { origin: booking.origin, since: this.#clock.now() }
    }
    if (this.#effects === undefined) {
      if (booking.is !== 'effect' && booking.is !== 'savepoint') return
      this.#effects = new SessionEffects()
    }
    const now = this.#clock.now()
    const pin = this.#effects.book(this.#preparing > 0 ? ofBaseline(booking) : booking, now)
    if (pin !== undefined && this.#isBaselineSettled) this.#listener.pinned(pin)
  }

  busy(statement?: string): void {
    if (statement !== undefined) {
      this.#statement = statement
      if (this.#history !== undefined && this.#history.push(statement) > MOST_HISTORY) this.#history.shift()
    }
    this.#isSettling = false
    if (this.#listener.sent !== undefined) {
      this.sentAt = this.#clock.now()
      this.#listener.sent(this.sentAt)
    }
    if (!this.#isQuiet || this.#lostBy !== undefined) return
    this.#isQuiet = false
    this.#busySince = this.#clock.now()
  }

  doubt(): void {
    this.#isDoubtful = true
  }

  failed(error: unknown): void {
    if (this.#listener.failed(error)) this.#hasRefusedWrites = true
  }

  settling(): void {
    this.#isSettling = true
  }

  opened(origin: EffectOrigin | undefined): void {
    this.#book(origin === undefined ? { is: 'rollback' } : { is: 'begin', origin })
    if (origin !== undefined) this.#listener.begun()
    this.#transaction = origin === undefined ? 'idle' : 'open'
  }

  quiet(transaction: TransactionStatus): void {
    const now = this.#clock.now()
    if (transaction === 'idle') this.#begun = undefined
    else if (this.#transaction === 'idle') this.#listener.begun()
    this.#transaction = transaction
    this.#answeredAt = now
    this.#endBusy(now)
  }

  lost(error: Error): void {
    if (this.#lostBy !== undefined) return
    this.#lostBy = error
    this.#endBusy(this.#clock.now())
    this.#listener.lost()
  }

  #endBusy(now: number): void {
    if (this.#isQuiet) return
    this.#isQuiet = true
    this.#isSettling = false
    this.#busyTotal += now - this.#busySince
    if (this.#whenQuiet.length === 0) return
    const callbacks = this.#whenQuiet
    this.#whenQuiet = []
    for (const callback of callbacks) callback()
  }
}

/** Which declared setting an effect may have changed: one, none (an empty name), or any of them. */
function settingOf({ kind, name }: Pick<SessionEffect, 'kind' | 'name'>): string | undefined {
  if (kind === 'setting') return name
  if (kind === 'role') return kind
  return kind === 'unknown' ? undefined : ''
}

function ofBaseline(booking: SessionBooking): SessionBooking {
  return booking.is === 'effect' ? { ...booking, origin: { ...booking.origin, isOfBaseline: true } } : booking
}
