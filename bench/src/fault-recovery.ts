import { mkdirSync, writeFileSync } from 'node:fs'
import { median } from './measure/median.js'
import type { Played } from './faults/played.js'
import { startPlay } from './faults/start-play.js'
import type { Report, Settings } from './report/report.js'

const OURS = '@leasehold/pg'
const CONTESTANTS = [OURS, 'pg.Pool', 'Knex']
const COLUMNS = [
  'what happens',
  'to whom',
  'first told after',
  'told after at most',
  'refused',
  'of these at once',
  'dials',
  'back after',
  'lost',
  'twice',
  'left',
]

/** What sick networks, servers and failovers do to callers, and how soon all is well again. */
export async function faultRecovery({ quick }: Settings): Promise<Report> {
  const rounds: Array<Record<string, readonly Played[]>> = []
  for (let round = 0; round < (quick ? 1 : 3); round += 1) {
    const played: Record<string, readonly Played[]> = {}
    for (const contestant of CONTESTANTS) played[contestant] = await startPlay(contestant)
    rounds.push(played)
  }
  const text = markdownOf(rounds)
  const results = new URL('../results/', import.meta.url)
  mkdirSync(results, { recursive: true })
  writeFileSync(new URL('faults.md', results), `${text}\n`)
  return { name: 'faults', text, targets: [], data: rounds }
}

function markdownOf(rounds: ReadonlyArray<Record<string, readonly Played[]>>): string {
  const troubles = (rounds[0]?.[OURS] ?? []).map(({ trouble }) => trouble)
  const rows = troubles.flatMap((trouble) =>
    CONTESTANTS.map((contestant, at) => {
      const played = rounds.flatMap((round) => round[contestant]?.filter((one) => one.trouble === trouble) ?? [])
      return [at === 0 ? trouble : '', contestant, ...cellsOf(played)]
    }),
  )
  const lines = [COLUMNS, COLUMNS.map((_, at) => (at < 2 ? '---' : '--:')), ...rows]
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}

/** The median of the rounds, but of what must never be, the sum. */
function cellsOf(played: readonly Played[]): readonly string[] {
  const sum = (of: (one: Played) => number): string => String(played.reduce((total, one) => total + of(one), 0))
  const middle = (of: (one: Played) => number): string => median(played.map(of)).toFixed(0)
  const wasTold = played.filter(({ firstKnowsMs }) => firstKnowsMs !== undefined)
  const isBack = played.every(({ backAfterMs }) => backAfterMs !== undefined)
  const neverTold = played.some((one) => one.neverTold > 0)
  return [
    wasTold.length === 0 ? '–' : `${median(wasTold.map(({ firstKnowsMs }) => firstKnowsMs ?? 0)).toFixed(0)} ms`,
    neverTold ? 'never' : wasTold.length === 0 ? '–' : `${middle(({ longestMs }) => longestMs)} ms`,
    middle(({ refused }) => refused),
    middle(({ shed }) => shed.callers),
    middle(({ dials }) => dials),
    isBack ? `${middle(({ backAfterMs }) => backAfterMs ?? 0)} ms` : 'not within 15 s',
    sum(({ lost }) => lost),
    sum(({ twice }) => twice),
    sum(({ left }) => left),
  ]
}
