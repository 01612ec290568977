import { subscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import { channels } from './channels.js'
import type { OfPool } from './pool-events.js'

let printing = false

/** One line on standard error for each event of each pool: what `LEASEHOLD_DEBUG=1` asks for. */
export function printDebugLines(write: (line: string) => void = writeToStandardError): void {
  if (printing) return
  printing = true
  for (const [event, channel] of Object.entries(channels)) {
    subscribe(channel.name, (message) => write(debugLine(event, message as OfPool & Record<string, unknown>)))
  }
}

/** `leasehold orders release label=GET /orders/:id connection=3 heldMs=12.1 busyMs=10.8` */
export function debugLine(event: string, message: OfPool & Record<string, unknown>): string {
  const facts = Object.entries(message)
    .filter(([name, value]) => name !== 'pool' && name !== 'poolId' && name !== 'result' && value !== undefined)
    .map(([name, value]) => `${name}=${printFact(value)}`)
  return `leasehold ${message.pool} ${event} ${facts.join(' ')}`
}

function printFact(value: unknown): string {
  if (typeof value === 'number') return String(Math.round(value * 10) / 10)
  if (value instanceof Error) return JSON.stringify(value.message)
  return typeof value === 'string' ? value : printThing(value)
}

/** A connection may be discarded for any reason, also for one that JSON does not know. */
function printThing(value: unknown): string {
  try {
    return JSON.stringify(value)
  } catch {
    return inspect(value, { breakLength: Number.POSITIVE_INFINITY })
  }
}

function writeToStandardError(line: string): void {
  process.stderr.write(`${line}\n`)
}
