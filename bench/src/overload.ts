import { EQUAL_TERMS } from './contestants/contestant.js'
import { capacityOf, openLoop } from './overload/open-loop.js'
import { SERVICES } from './overload/services.js'
import { startPostgres } from './postgres/start-postgres.js'
import type { Report, Settings } from './report/report.js'
import { table } from './report/table.js'
import type { Target } from './report/target.js'

const DEADLINE_MS = 500
const TIMES_CAPACITY = 2

/** Twice as many callers as can be served, each with a deadline: how many are served in time, and how soon. */
export async function overload({ quick }: Settings): Promise<Report> {
  const server = await startPostgres()
  const seconds = quick ? 5 : 20
  const rows: string[][] = []
  const data: Record<string, unknown> = {}
  const targets: Target[] = []
  try {
    for (const open of SERVICES) {
      const service = open(server.url, DEADLINE_MS)
      await capacityOf(EQUAL_TERMS.max, 0.5, service.ask)
      const capacity = await capacityOf(EQUAL_TERMS.max, quick ? 1 : 3, service.ask)
      const load = { perSecond: capacity * TIMES_CAPACITY, seconds, deadlineMs: DEADLINE_MS }
      const outcome = await openLoop(load, service.ask)
      const share = outcome.good / seconds / capacity
      await service.close()
      const { name } = service
      const ms = (value: number): string => (Number.isNaN(value) ? '–' : value.toFixed(0))
      rows.push([
        name,
        capacity.toFixed(0),
        share.toFixed(2),
        ms(outcome.p50),
        ms(outcome.p99),
        String(outcome.late),
        String(outcome.refused),
        ms(outcome.refusalP50),
      ])
      data[name] = { capacity, share, ...outcome }
      if (targets.length > 0) continue
      const at = `at ${TIMES_CAPACITY} × capacity`
      targets.push(
        { what: `goodput ÷ capacity, ${at}`, bound: 'at least', target: 0.9, measured: share },
        { what: `p99 of good answers, ms, ${at}`, bound: 'at most', target: 150, measured: outcome.p99 },
      )
    }
  } finally {
    await server.stop()
  }
  const columns = ['', 'capacity/s', 'goodput', 'p50 ms', 'p99 ms', 'late', 'refused', 'after ms']
  return {
    name: 'overload',
    text: `Twice the capacity for ${seconds} s, queries of 10 ms, a deadline of ${DEADLINE_MS} ms\n${table(columns, rows)}`,
    targets,
    data,
  }
}
