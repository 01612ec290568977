import { connect, type Socket } from 'node:net'
import type { LineFault } from './fault.js'
import { Flow } from './flow.js'

/** Where a server listens. */
export interface Target {
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string
}

/** One connection through the proxy: the client's socket, the one to the server, and what goes between them. */
export class Line {
  readonly #front: Socket
  readonly #behind: Socket
  readonly #flows: readonly Flow[]
  #fault: LineFault | undefined

  constructor(front: Socket, { port, host = '127.0.0.1' }: Target, over: () => void) {
    const behind = connect({ port, host, allowHalfOpen: true, noDelay: true })
    this.#front = front
    this.#behind = behind
    const destroy = (): void => {
      front.destroy()
      behind.destroy()
    }
    front.on('error', () => behind.resetAndDestroy()).on('close', () => behind.destroy())
    // A server that is not there resets its client; on a frozen line nobody hears even that.
    behind
      .on('error', () => this.#isMute || front.resetAndDestroy())
      .on('close', () => this.#isMute || front.destroySoon())
    front.on('close', over)
    this.#flows = [new Flow(front, behind, 'to-server', destroy), new Flow(behind, front, 'to-client', destroy)]
  }

  /** Sets it on this line alone, in place of any other. */
  fault(fault: LineFault): void {
    if (fault.is === 'reset') {
      this.#front.resetAndDestroy()
      this.#behind.resetAndDestroy()
    } else this.#treat(fault)
  }

  /** All goes through again: also what had to wait. What was closed stays closed. */
  heal(): void {
    this.#treat(undefined)
  }

  /** Whether the client hears nothing at all of its server. */
  get #isMute(): boolean {
    return this.#fault?.is === 'freeze' && this.#fault.direction !== 'to-server'
  }

  destroy(): void {
    this.#front.destroy()
    this.#behind.destroy()
  }

  #treat(fault: LineFault | undefined): void {
    this.#fault = fault
    for (const flow of this.#flows) flow.fault = fault
    // What it was not allowed to hear.
    if (this.#behind.destroyed && !this.#isMute) this.#front.resetAndDestroy()
  }
}
