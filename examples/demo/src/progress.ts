import type { PoolSnapshot } from '@leasehold/core'
import type { Paint } from './paint.js'
import { settings } from './settings.js'
import type { Counts } from './tally.js'
import { count } from './words.js'

/** Of the waiting callers that are drawn; the number beside them tells of the others. */
const QUEUE_WIDTH = 30

/** Shows how the load goes on: lines that change in place on a terminal, elsewhere a line a second. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #paint: Paint
  readonly #seconds: number
  #lastSecond = 0
  #drawn = 0

  /** @param seconds of load. */
  constructor(stream: NodeJS.WriteStream, paint: Paint, seconds: number) {
    this.#stream = stream
    this.#paint = paint
    this.#seconds = seconds
  }

  /** What this is all about; it stays. */
  begin(): void {
    const { clientsOfEach, maxConnections } = settings
    const services = 'Fastify, Express and NestJS, each on Knex, Drizzle and Prisma: nine services'
    const load = `${this.#seconds} s of load by ${9 * clientsOfEach} clients, and some that hang up`
    this.#stream.write(
      `\n  ${this.#paint('bold', services)}\n  ${load}, on one pool of ${maxConnections} connections\n\n`,
    )
  }

  /** Says what is done before there is anything to count. */
  say(what: string): void {
    this.#replace([`  ${this.#paint('dim', what)}`])
  }

  /** @param at seconds since the load began. */
  show(at: number, counts: Counts, pool: PoolSnapshot): void {
    const seconds = Math.min(at, this.#seconds)
    const second = Math.floor(seconds)
    if (this.#stream.isTTY) this.#replace(this.#lines(seconds, counts, pool))
    else if (second > this.#lastSecond) this.#stream.write(`${this.#line(second, counts, pool)}\n`)
    this.#lastSecond = second
  }

  /** The load is over: what changes in place makes room for what comes next. */
  end(): void {
    if (this.#stream.isTTY) this.#replace([])
    else this.#stream.write('\n')
  }

  #lines(seconds: number, { sent }: Counts, pool: PoolSnapshot): string[] {
    const paint = this.#paint
    const { used, idle, waiting, leaks } = numbersOf(pool)
    const done = Math.round((30 * seconds) / this.#seconds)
    const time = paint('cyan', '━'.repeat(done)) + paint('dim', '━'.repeat(30 - done))
    const full = used > 0 && waiting > 0
    const bar =
      paint(full ? 'yellow' : 'green', '■'.repeat(used)) +
      paint('green', '□'.repeat(idle)) +
      paint('dim', '·'.repeat(Math.max(0, pool.max - used - idle)))
    const queue = '○'.repeat(Math.min(waiting, QUEUE_WIDTH)).padEnd(QUEUE_WIDTH)
    return [
      `  ${time}  ${seconds.toFixed(1)} of ${this.#seconds} s`,
      `  requests     ${count(sent).padEnd(9)} ${count(Math.round(sent / Math.max(0.1, seconds)))}/s`,
      `  connections  ${bar} ${paint('yellow', queue)} ${used} used, ${idle} idle, ${waiting} waiting`,
      `  leaks        ${leaks} found`,
    ]
  }

  #line(second: number, { sent }: Counts, pool: PoolSnapshot): string {
    const { used, idle, waiting, leaks } = numbersOf(pool)
    const columns = [`${second} s`, `${count(sent)} requests`, `${used} used`, `${idle} idle`, `${waiting} waiting`]
    const widths = [5, 16, 9, 9, 12]
    return `${columns.map((column, at) => column.padStart(widths[at] ?? 0)).join('')}   ${leaks} leaks found`
  }

  #replace(lines: readonly string[]): void {
    if (!this.#stream.isTTY) return
    const up = this.#drawn > 0 ? `\u001B[${this.#drawn}F` : ''
    this.#stream.write(`${up}\u001B[0J${lines.map((line) => `${line}\n`).join('')}`)
    this.#drawn = lines.length
  }
}

function numbersOf({ connections, waiting, counts }: PoolSnapshot): {
  readonly used: number
  readonly idle: number
  readonly waiting: number
  readonly leaks: number
} {
  const { lent, recycling, checking, idle } = connections
  const leaks = Object.values(counts.leaks).reduce((total, of) => total + of, counts.lateAcquires)
  return { used: lent + recycling + checking, idle, waiting: waiting.count, leaks }
}
