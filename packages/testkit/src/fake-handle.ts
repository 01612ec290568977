import type { JoinedTransaction, LeaseGate } from '@leasehold/core'
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
    if (
      this.#gate.refusal !== undefined &&
      !['rollback', 'rollback-to', 'release'].includes(text.split(' ')[0] ?? '')
    ) {
      throw this.#gate.refusal
    }
    if (text.startsWith('begin')) this.#gate.refuseTransaction()
    if (this.#gate.joined !== undefined) return this.#queryInside(text, this.#gate.joined)
    if (!text.startsWith('set ')) return this.#session.query(text, this.#gate)
    this.#gate.refusePin(`setting ${text.split(' ')[1]}`)
    return this.#session.query(text, this.#gate, this.#gate.siteOf(this.query))
  }

  release(): void {
    this.#gate.release()
  }

  /** A transaction of the holder is a savepoint in the one that its lease has joined. */
  async #queryInside(text: string, joined: JoinedTransaction): Promise<string> {
    if (text !== 'commit' && text !== 'rollback') {
      await new Promise<void>((resolve, reject) => {
        if (joined.takeTurn(resolve, reject)) resolve()
      })
    }
    if (text === 'begin') {
      await this.#session.query(`savepoint ${joined.open()}`)
    } else if (text === 'commit') {
      const end = joined.close()
      if (end.is === 'release') await this.#session.query(`release ${end.name}`)
    } else if (text === 'rollback') {
      const end = joined.undo()
      if (end.is === 'none') return text
      await this.#session.query(`rollback-to ${end.name}`)
      await this.#session.query(`release ${end.name}`)
    } else {
      if (joined.apart !== undefined) return joined.apart(() => this.#queryInside(text, joined))
      joined.works()
      return this.#session.query(text, this.#gate)
    }
    return text
  }
}
