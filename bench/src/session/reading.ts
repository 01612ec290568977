import { runRounds } from '../measure/rounds.js'
import type { Report, Settings } from '../report/report.js'
import { table } from '../report/table.js'

type Read = (text: string) => { readonly statements: readonly unknown[] }

const TEXTS = 2_000
const LENGTH = 200
const JOIN =
  'select "u"."id", count("p"."id") as "posts" from "users" as "u" left join "posts" as "p" ' +
  'on "p"."author_id" = "u"."id" where "u"."tenant" = $1 and lower("u"."email") = $2 group by "u"."id" limit '

/** What it costs to know what a statement does to the session, by its text. */
export async function reading({ quick, stopwatch }: Settings): Promise<Report> {
  const { readStatement } = await internal<{ readonly readStatement: Read }>('sql/read-statement.js')
  const { readCached } = await internal<{ readonly readCached: Read }>('sql/read-cached.js')
  const known = Array.from({ length: 100 }, (_, at) => textOf(at))
  const racers = [
    { name: 'a known text', texts: () => known.flatMap((text) => Array<string>(20).fill(text)), read: readCached },
    { name: 'a known text, put together anew', texts: () => copiesOf(known), read: readCached },
    { name: 'a new text of 200 characters', texts: () => copiesOf(known), read: readStatement },
  ]
  const rounds = await runRounds(
    racers.map(({ name, texts, read }) => ({
      name,
      race: async () => {
        const given = texts()
        let statements = 0
        const took = await stopwatch(async () => {
          for (const text of given) statements += read(text).statements.length
        })
        if (statements !== given.length) throw new Error('a statement was lost')
        return took / given.length
      },
    })),
    { rounds: quick ? 15 : 50, cold: 5 },
  )
  return {
    name: 'reading',
    text: table(
      ['reading what a statement does', 'ns'],
      racers.map(({ name }) => [name, rounds.median(name).toFixed(0)]),
    ),
    targets: [
      { what: 'reading a known text, ns', bound: 'at most', target: 150, measured: rounds.median('a known text') },
      {
        what: 'reading a new text of 200 characters, ns',
        bound: 'at most',
        target: 10_000,
        measured: rounds.median('a new text of 200 characters'),
      },
    ],
    data: racers.map(({ name }) => ({ name, nsPerText: rounds.of(name) })),
  }
}

/** A module that is not for users. */
async function internal<Module>(path: string): Promise<Module> {
  return (await import(new URL(path, import.meta.resolve('@leasehold/pg')).href)) as Module
}

function textOf(at: number): string {
  return (JOIN + String(at)).padEnd(LENGTH).slice(0, LENGTH)
}

/** The same texts as other strings, whose hash nobody has worked out yet: so a query builder makes them. */
function copiesOf(texts: readonly string[]): string[] {
  return Array.from({ length: TEXTS }, (_, at) => Buffer.from(texts[at % texts.length] ?? '').toString())
}
