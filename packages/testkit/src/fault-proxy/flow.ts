import type { Socket } from 'node:net'
import type { Direction, LineFault } from './fault.js'
import { cut } from './cut.js'
import { delay } from './delay.js'
import { throttle } from './throttle.js'
import { write } from './write.js'

/** One direction of a line: what `from` sends reaches `to`, unless a fault says otherwise. */
export class Flow {
  readonly #from: Socket
  readonly #to: Socket
  readonly #direction: Direction
  readonly #destroyLine: () => void
  #fault: LineFault | undefined
  #isPassing = false

  constructor(from: Socket, to: Socket, direction: Direction, destroyLine: () => void) {
    this.#from = from
    this.#to = to
    this.#direction = direction
    this.#destroyLine = destroyLine
    from.on('data', (chunk: Buffer) => void this.#take(chunk)).on('end', () => to.end())
  }

  set fault(fault: LineFault | undefined) {
    this.#fault = fault
    if (this.#isFrozen) this.#from.pause()
    else if (!this.#isPassing) this.#from.resume()
    if (fault?.is === 'half-close' && fault.direction === this.#direction) this.#to.end()
  }

  get #isFrozen(): boolean {
    const fault = this.#fault
    return fault?.is === 'freeze' && (fault.direction === 'both' || fault.direction === this.#direction)
  }

  async #take(chunk: Buffer): Promise<void> {
    // One after the other, so that nothing overtakes, and the sender feels it when the receiver is slow.
    this.#from.pause()
    this.#isPassing = true
    await this.#pass(chunk)
    this.#isPassing = false
    if (!this.#isFrozen) this.#from.resume()
  }

  async #pass(chunk: Buffer): Promise<void> {
    const fault = this.#fault
    if (fault?.is === 'delay') await delay(this.#to, chunk, fault.ms)
    else if (fault?.is === 'throttle') await throttle(this.#to, chunk, fault.bytesPerSecond)
    else if (fault?.is === 'cut' && fault.direction === this.#direction) {
      await cut(this.#to, chunk)
      this.#destroyLine()
    } else await write(this.#to, chunk)
  }
}
