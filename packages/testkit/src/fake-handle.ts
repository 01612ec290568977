import type { LeaseGate } from '@leasehold/core'
import type { FakeClient } from './fake-client.js'
import type { FakeSession } from './fake-session.js'

/** The fenced handle of one lease on a fake session. */
export class FakeHandle implements FakeClient {
  readonly #session: FakeSession
  readonly #gate: LeaseGate

  constructor(session: FakeSession, gate: LeaseGate) {
    this.#session = session
    this.#gate = gate
  }

  get id(): number {
    return this.#session.id
  }

  async query(text: string): Promise<string> {
    this.#gate.pass('query')
    if (text.startsWith('begin')) this.#gate.refuseTransaction()
    if (!text.startsWith('set ')) return this.#session.query(text)
    this.#gate.refusePin(`setting ${text.split(' ')[1]}`)
    return this.#session.query(text, this.#gate.siteOf(this.query))
  }

  release(): void {
    this.#gate.release()
  }
}
