import type { LeakName } from './leak-log.js'
import { pairTable } from './pair-table.js'
import type { Paint } from './paint.js'
import { settings } from './settings.js'
import type { Summary } from './summary.js'
import type { HangUp } from './tally.js'
import { count, duration, money, percent } from './words.js'

interface Row {
  /** What belongs to the row above begins with two spaces. */
  readonly label: string
  readonly value?: string
  readonly remark?: string
  readonly colour?: 'green' | 'yellow' | 'red'
}

const statuses: Readonly<Record<string, string>> = {
  400: 'bad input (400)',
  404: 'not found (404)',
  409: 'not enough money (409)',
  500: 'the handler threw (500)',
  503: 'no connection in time (503)',
}

const hangUps: Readonly<Record<HangUp, string>> = {
  'while waiting': 'client hung up, waiting',
  'after its body': 'client hung up, body sent',
  'mid-stream': 'client hung up, mid-stream',
  'when the load ended': 'cut off at the end',
}

const leaks: Readonly<Record<LeakName, string>> = {
  overdue: `held longer than ${settings.leakAfterMs} ms`,
  'left-over': 'not given back',
  forgotten: 'forgotten altogether',
  'idle-in-transaction': 'idle in a transaction',
  late: 'used after the response',
}

/** The summary as a table that is read at a glance. */
export function table(summary: Summary, paint: Paint): string {
  const sections = [requestRows, errorRows, leaseRows, leakRows, endRows].map((rows) => rows(summary))
  const totals = sections.map((rows) => rows.map((row) => line(row, paint)).join('\n'))
  return [pairTable(summary.pairs, paint), ...totals].join('\n\n')
}

function line({ label, value = '', remark = '', colour }: Row, paint: Paint): string {
  const cells = `${label.padEnd(28)}${value.padStart(11)}`
  const isMain = label !== '' && !label.startsWith(' ')
  const left = colour ? paint(colour, cells) : isMain ? paint('bold', cells) : cells
  return remark === '' ? `  ${left}` : `  ${left}  ${paint(colour ?? 'dim', remark)}`
}

function requestRows({ requests: { total, perSecond, answered }, latencyMs: { p50, p99 } }: Summary): Row[] {
  return [
    { label: 'Requests', value: count(total), remark: `${count(perSecond)} a second` },
    { label: 'Answered', value: count(answered), remark: `p50 ${duration(p50)}, p99 ${duration(p99)}` },
  ]
}

function errorRows({ errors: { total, byStatus, hungUp, unanswered } }: Summary): Row[] {
  const answers = Object.entries(byStatus).map(([status, of]) => [statuses[status] ?? `answered with ${status}`, of])
  const gone = Object.entries(hungUp).map(([how, of]) => [hangUps[how as HangUp], of])
  return [
    { label: 'Errors', value: count(total) },
    ...[...answers, ...gone].map(([label, of]) => ({ label: `  ${label}`, value: count(Number(of)) })),
    ...(unanswered > 0 ? [{ label: '  never answered', value: count(unanswered), colour: 'red' as const }] : []),
  ]
}

function leaseRows({ connections: { max, opened, peak }, leases, timeMs: { held, busy } }: Summary): Row[] {
  return [
    { label: 'Connections opened', value: count(opened), remark: `at most ${peak} at a time, of ${max} allowed` },
    { label: 'Leases granted', value: count(leases.granted), remark: `${count(leases.perConnection)} per connection` },
    {
      label: 'Time held, by all leases',
      value: duration(held),
      remark: `the database was busy for ${duration(busy)} of it, ${percent(busy, held)}`,
    },
  ]
}

function leakRows({ leaks: found, cleaned }: Summary): Row[] {
  const kinds = Object.entries(found)
  const total = kinds.reduce((sum, [, { count: of }]) => sum + of, 0)
  const dirty = Object.entries(cleaned).filter(([, of]) => of > 0)
  return [
    { label: 'Leaks found', value: count(total), colour: total > 0 ? 'yellow' : 'green' },
    ...kinds.flatMap(([kind, { count: of, places }]) =>
      places.map(({ label, sites }, at) => ({
        label: at === 0 ? `  ${leaks[kind as LeakName]}` : '',
        value: at === 0 ? count(of) : '',
        remark: `${label.padEnd(34)} ${placesOf(sites)}`,
      })),
    ),
    {
      label: 'Sessions cleaned',
      value: count(dirty.reduce((sum, [, of]) => sum + of, 0)),
      remark: dirty.map(([what, of]) => `${of} ${what}${of === 1 ? '' : 's'}`).join(', '),
    },
  ]
}

/** The first of them; a service that is too slow everywhere has many, and `--json` tells them all. */
function placesOf([first, ...others]: readonly string[]): string {
  if (first === undefined) return '(its place was not captured)'
  return others.length === 0 ? first : `${first} and ${others.length} more`
}

function endRows({ connections: { stillHeld }, balanceCents: { before, after } }: Summary): Row[] {
  const isSame = before === after
  return [
    {
      label: 'Money in all accounts',
      value: money(after),
      remark: isSame ? 'as before' : `it was ${money(before)}`,
      colour: isSame ? 'green' : 'red',
    },
    {
      label: 'Connections still held',
      value: count(stillHeld),
      remark: stillHeld === 0 ? 'every one is back' : 'this must not be',
      colour: stillHeld === 0 ? 'green' : 'red',
    },
  ]
}
