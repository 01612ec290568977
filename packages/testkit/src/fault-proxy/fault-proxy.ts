import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault, LineFault } from './fault.js'
import { Line, type Target } from './line.js'

const HOST = '127.0.0.1'
const LISTEN_ATTEMPTS = 50
const LISTEN_PAUSE_MS = 20

/** Stands before a server and does to its connections what networks and servers do, when it is told to. */
export class FaultProxy {
  readonly #lines = new Set<Line>()
  readonly #hanging = new Set<Socket>()
  readonly #dials: number[] = []
  #server: Server | undefined
  #port = 0
  #target: Target
  #fault: Fault | undefined

  /** Use `startFaultProxy`. */
  constructor(target: Target) {
    this.#target = target
  }

  /** Where it listens, unless it refuses; the same for all its life. */
  get port(): number {
    return this.#port
  }

  /** When somebody dialled, in milliseconds of `performance.now()`. What is refused is not seen. */
  get dials(): readonly number[] {
    return this.#dials
  }

  /** The connections that are up, the oldest first; each has faults of its own. */
  get lines(): readonly Line[] {
    return [...this.#lines]
  }

  /** The same database, through this proxy. */
  through(url: string): string {
    const through = new URL(url)
    through.host = `${HOST}:${this.#port}`
    return through.href
  }

  /**
   * From now on there is this fault, in place of any other: for who dials, and for all lines where it is one of theirs.
   * Resolves when it is in force, which takes a moment only for `refuse`.
   */
  async fault(fault: Fault): Promise<void> {
    await this.heal()
    this.#fault = fault
    if (fault.is === 'refuse') await this.#stopListening()
    else if (isOfLines(fault)) for (const line of this.#lines) line.fault(fault)
  }

  /** Everything is well again. Resolves when it listens. */
  async heal(): Promise<void> {
    this.#fault = undefined
    for (const line of this.#lines) line.heal()
    if (this.#server === undefined) await this.listen()
  }

  /** Who dials from now on gets to another server, as after a change in DNS. Lines that are up stay where they are. */
  redirect(target: Target): void {
    this.#target = target
  }

  async close(): Promise<void> {
    for (const line of this.#lines) line.destroy()
    for (const socket of this.#hanging) socket.destroy()
    await this.#stopListening()
  }

  /** Part of the start. */
  async listen(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (front) => this.#accept(front))
      try {
        server.listen(this.#port, HOST)
        await once(server, 'listening')
        this.#server = server
        this.#port = (server.address() as { readonly port: number }).port
        return
      } catch (error) {
        // While it refused, the operating system may have lent the port to a socket that dials.
        if (this.#port === 0 || attempt === LISTEN_ATTEMPTS) throw error
        await sleep(LISTEN_PAUSE_MS)
      }
    }
  }

  async #stopListening(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    // Not awaited to the end, which comes when the last line has closed: the port is free at once.
    server?.close()
    await new Promise((resolve) => setImmediate(resolve))
  }

  #accept(front: Socket): void {
    this.#dials.push(performance.now())
    const fault = this.#fault
    // It was in the queue of the operating system when we stopped listening.
    if (fault?.is === 'refuse') front.on('error', () => {}).resetAndDestroy()
    else if (fault?.is === 'hang') this.#hang(front)
    else if (fault?.is === 'close') this.#hang(front).end()
    else {
      const line = new Line(front, this.#target, () => this.#lines.delete(line))
      this.#lines.add(line)
      if (fault !== undefined) line.fault(fault)
    }
  }

  #hang(front: Socket): Socket {
    this.#hanging.add(front)
    // Read to its end: a socket that is closed over unread data says RST in place of farewell.
    return front
      .on('error', () => {})
      .on('end', () => front.destroy())
      .on('close', () => this.#hanging.delete(front))
      .resume()
  }
}

function isOfLines(fault: Fault): fault is LineFault {
  return fault.is !== 'refuse' && fault.is !== 'hang' && fault.is !== 'close'
}
