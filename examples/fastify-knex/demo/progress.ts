import type { PoolSnapshot } from '@leasehold/core'
import type { ClientReport } from './client-process.js'
import type { Paint } from './paint.js'
import { settings } from './settings.js'
import { count } from './words.js'

/** Of the waiting callers that are drawn; the number beside them tells of the others. */
const QUEUE_WIDTH = 30

/** Shows how the load goes on: lines that change in place on a terminal, elsewhere a line a second. */
export class Progress {
  readonly #stream: NodeJS.WriteStream
  readonly #paint: Paint
  #lastSecond = 0
  #drawn = 0

  constructor(stream: NodeJS.WriteStream, paint: Paint) {
    this.#stream = stream
    this.#paint = paint
  }

  /** What this is all about; it stays. */
  begin(): void {
    const { clients, seconds, maxConnections } = settings
    const what = `${seconds} s of load by ${clients} clients, and some that hang up, on ${maxConnections} connections`
    this.#stream.write(`\n  ${this.#paint('bold', `Orders on Fastify and Knex: ${what}`)}\n\n`)
  }

  /** Says what is done before there is anything to count. */
  say(what: string): void {
    this.#replace([`  ${this.#paint('dim', what)}`])
  }

  show(report: ClientReport, pool: PoolSnapshot): void {
    const second = Math.floor(Math.min(report.seconds, settings.seconds))
    if (this.#stream.isTTY) this.#replace(this.#lines(report, pool))
    else if (second > this.#lastSecond) this.#stream.write(`${this.#line(second, report, pool)}\n`)
    this.#lastSecond = second
  }

  /** The load is over: what changes in place makes room for what comes next. */
  end(): void {
    if (this.#stream.isTTY) this.#replace([])
    else this.#stream.write('\n')
  }

  #lines(report: ClientReport, pool: PoolSnapshot): string[] {
    const paint = this.#paint
    const seconds = Math.min(report.seconds, settings.seconds)
    const { used, idle, waiting, leaks } = numbersOf(pool)
    const done = Math.round((30 * seconds) / settings.seconds)
    const time = paint('cyan', '━'.repeat(done)) + paint('dim', '━'.repeat(30 - done))
    const full = used > 0 && waiting > 0
    const bar =
      paint(full ? 'yellow' : 'green', '■'.repeat(used)) +
      paint('green', '□'.repeat(idle)) +
      paint('dim', '·'.repeat(Math.max(0, pool.max - used - idle)))
    const queue = '○'.repeat(Math.min(waiting, QUEUE_WIDTH)).padEnd(QUEUE_WIDTH)
    return [
      `  ${time}  ${seconds.toFixed(1)} of ${settings.seconds} s`,
      `  requests     ${count(report.sent).padEnd(9)} ${count(Math.round(report.sent / Math.max(0.1, seconds)))}/s`,
      `  connections  ${bar} ${paint('yellow', queue)} ${used} used, ${idle} idle, ${waiting} waiting`,
      `  leaks        ${leaks} found`,
    ]
  }

  #line(second: number, report: ClientReport, pool: PoolSnapshot): string {
    const { used, idle, waiting, leaks } = numbersOf(pool)
    const columns = [
      `${second} s`,
      `${count(report.sent)} requests`,
      `${used} used`,
      `${idle} idle`,
      `${waiting} waiting`,
    ]
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
  const leaks = counts.leaks.overdue + counts.leaks['left-over'] + counts.lateAcquires
  return { used: lent + recycling + checking, idle, waiting: waiting.count, leaks }
}
