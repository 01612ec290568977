import type { Driver, PoolMode } from '@leasehold/core'
import { describe, expect, it, vi } from 'vitest'
import type { OptionalMethod } from '../../fake-driver.js'
import { TestGate } from '../test-gate.js'
import type { DriverContractHarness } from './driver-contract-harness.js'
import { openWatched, type WatchedSession } from './open-watched.js'

/** What takes a moment on a real server. */
const SOON = { timeout: 5_000, interval: 5 }

/** What the parts of the suite stand on: one harness for each test, and what they do with it. */
export class DriverContract<Client> {
  readonly #without: readonly OptionalMethod[]
  #harness: DriverContractHarness<Client> | undefined

  constructor(without: readonly OptionalMethod[]) {
    this.#without = without
  }

  get harness(): DriverContractHarness<Client> {
    if (this.#harness === undefined) throw new Error('there is a harness only while a test runs')
    return this.#harness
  }

  get driver(): Driver<Client> {
    return this.harness.driver
  }

  begin(harness: DriverContractHarness<Client>): void {
    this.#harness = harness
  }

  async end(): Promise<void> {
    await this.#harness?.stop?.()
    this.#harness = undefined
  }

  /** A part of the suite that is about optional methods: empty for a driver that has none of them. */
  about(methods: OptionalMethod | readonly OptionalMethod[], title: string, part: () => void): void {
    const of = typeof methods === 'string' ? [methods] : methods
    if (of.every((method) => this.#without.includes(method))) return
    describe(title, () => {
      part()
    })
  }

  /** A promise of drivers that have these methods; that a driver has no others is looked at as well. */
  offered<Method extends OptionalMethod>(
    methods: Method | readonly Method[],
    promise: string,
    test: (driver: Driver<Client> & Required<Pick<Driver<Client>, Method>>) => Promise<void> | void,
  ): void {
    const wanted: readonly OptionalMethod[] = typeof methods === 'string' ? [methods] : methods
    if (wanted.some((method) => this.#without.includes(method))) return
    it(promise, () => test(this.driver as Parameters<typeof test>[0]))
  }

  open(driver: Driver<Client> = this.driver): Promise<WatchedSession<Client>> {
    return openWatched(driver)
  }

  /**
   * What an owner has of a session: the fenced handle of a lease, or the bare client where a driver lends no other.
   *
   * @param beside of a lease that shares the session.
   */
  handleOf(client: Client, beside?: TestGate, mode?: PoolMode): { readonly handle: Client; readonly gate: TestGate } {
    const gate = new TestGate(mode, beside?.owner)
    return { handle: this.driver.lend?.(client, gate) ?? client, gate }
  }

  query(client: Client, statement: string): Promise<unknown> {
    return this.harness.query(client, statement)
  }

  /** A refusal may be thrown or rejected with. */
  async refusalOf(work: () => Promise<unknown>): Promise<unknown> {
    try {
      await work()
    } catch (error) {
      return error
    }
    throw new Error('it was not refused')
  }

  /** Starts a statement that will be ended; how is looked at where it matters. */
  startEndless(client: Client): Promise<unknown> {
    const running = this.query(client, this.harness.statements.endless)
    running.catch(() => {})
    return running
  }

  async nothingIsOpen(): Promise<void> {
    await this.soon(async () => expect(await this.harness.sockets()).toBe(0))
  }

  async soon(assertion: () => void | Promise<void>): Promise<void> {
    await vi.waitFor(assertion, SOON)
  }
}
