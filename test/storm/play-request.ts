import { findLeaseholdError, type Scope } from '@leasehold/core'
import type { LeasedPgPool } from '@leasehold/pg'
import QueryStream from 'pg-query-stream'
import type * as pg from 'pg'
import { setTimeout as pause } from 'node:timers/promises'
import type { Journal, TransactionRecord } from './journal.js'
import type { Step } from './plan.js'

/** Where a step is done. */
export interface Place {
  readonly pool: LeasedPgPool
  readonly journal: Journal
  /** Whose it is. */
  readonly by: string
  readonly declares: boolean
  /** Whether all of the request have one session. */
  readonly isShared: boolean
  readonly scope: Scope
  /** Sends a statement of this place. */
  readonly send: (text: string, values?: unknown[]) => Promise<pg.QueryResult<Record<string, string | null>>>
  /** What the rows that are written here are part of. */
  readonly transaction: TransactionRecord | undefined
  /** The one that was declared around it. */
  readonly declared: TransactionRecord | undefined
  /** Whether somebody gives the client back, or a timeout does, while this goes on, which cancels what runs. */
  readonly isGivenBack: boolean
}

const LOOK = "select current_setting('app.tenant', true) as tenant, current_setting('app.left', true) as left_by"
const NEVER_SERIALIZED = { toPostgres: (): never => never('this value does not serialize') }
const FAILING = { 'a division': 'select 1/0', 'its syntax': 'selec 1' } as const

export async function play(steps: readonly Step[], place: Place): Promise<void> {
  for (const step of steps) await playCaught(step, place)
}

async function playCaught(step: Step, place: Place): Promise<void> {
  const { journal, by } = place
  const doing = journal.doing.get(by) ?? []
  journal.doing.set(by, doing)
  doing.push(step.does)
  try {
    await playStep(step, place)
  } catch (error) {
    judge(error, place, step)
    if (!step.caught) throw error
  } finally {
    doing.splice(doing.lastIndexOf(step.does), 1)
  }
}

/** What was thrown further inside is known already. */
const judged = new WeakSet<object>()

/** Nobody may ever meet what these errors tell of. */
function judge(error: unknown, { journal, by, isGivenBack }: Place, step: Step): void {
  if (judged.has(error as object)) return
  judged.add(error as object)
  const { message, code } = error as { message?: string; code?: string }
  journal.counts(findLeaseholdError(error)?.code ?? code ?? String(message))
  if (message?.includes('bug in Leasehold') === true) journal.never(`${by}: ${message}`)
  if (error instanceof TypeError || error instanceof RangeError) journal.never(`${by}: ${error.stack}`)
  // Who was cancelled is told by an error of ours: the server's own comes to somebody who was not meant.
  if (code === '57014' && !isGivenBack) journal.never(`${by} was hit by a cancel, in ${step.does}: ${message}`)
}

async function playStep(step: Step, place: Place): Promise<void> {
  switch (step.does) {
    case 'echo':
      return echo(place)
    case 'insert':
      return insert(place)
    case 'look':
      return look(place)
    case 'dirty':
      return void (await place.send(`set app.left = '${place.by}'`))
    case 'throw':
      throw new Error('of the work')
    case 'fail':
      if (step.by === 'its values') return void (await place.send('select $1::text', [NEVER_SERIALIZED]))
      return void (await place.send(FAILING[step.by]))
    case 'sleep':
      return void (await place.send(`select pg_sleep(${step.ms / 1_000})`))
    case 'idle':
      return pause(step.ms)
    case 'stream':
      return stream(step, place)
    case 'by hand':
      return byHand(step, place)
    case 'transaction':
      return transaction(step, place)
    case 'at once': {
      const done = await Promise.allSettled(step.steps.map((each) => playCaught(each, place)))
      const failed = done.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    }
  }
}

async function echo({ send, journal, by }: Place): Promise<void> {
  const said = `${by} ${Math.random()}`
  const { rows } = await send('select $1::text as echo', [said])
  if (rows[0]?.['echo'] !== said) journal.never(`${by} asked for "${said}" and got ${JSON.stringify(rows)}`)
}

async function insert({ send, journal, by, isShared, transaction: of }: Place): Promise<void> {
  const row = journal.writes(by, of, isShared)
  try {
    await send('insert into storm_rows values ($1)', [row.id])
    row.came('answered')
  } catch (error) {
    row.came('refused')
    throw error
  }
}

async function look({ send, journal, by, declares }: Place): Promise<void> {
  const { rows } = await send(LOOK)
  const { tenant = null, left_by: leftBy = null } = rows[0] ?? {}
  if ((tenant || undefined) !== (declares ? by : undefined)) journal.never(`${by} met the setting of ${tenant}`)
  if (leftBy && leftBy !== by) journal.never(`${by} met what ${leftBy} had left`)
  const seen = await send('select id from storm_rows')
  for (const { id } of seen.rows) if (typeof id === 'string') journal.sees(id, by)
}

async function stream({ rows, isClosed }: Step & { does: 'stream' }, { pool }: Place): Promise<void> {
  const client = await pool.connect()
  try {
    const stream = client.query(new QueryStream('select generate_series(1, 100)', [], { batchSize: 8 }))
    stream.on('error', () => {})
    const iterator = stream[Symbol.asyncIterator]()
    for (let row = 0; row < rows; row += 1) await iterator.next()
    if (isClosed) stream.destroy()
  } finally {
    client.release()
  }
}

/** As an ORM does it: with texts, on a client of its own. */
async function byHand({ steps, ends, gives }: Step & { does: 'by hand' }, place: Place): Promise<void> {
  const record: TransactionRecord = { parent: place.declared, came: 'to nothing yet' }
  const client = await place.pool.connect()
  const isLate = !place.scope.isOpen
  const send: Place['send'] = (text, values) => client.query(text, values)
  try {
    await client.query('BEGIN')
    if (gives === 'back early') setTimeout(() => client.release(), 30)
    await play(steps, { ...place, send, transaction: record, isGivenBack: place.isGivenBack || gives === 'back early' })
    if (ends === 'COMMIT') record.came = await commit(send)
    else {
      record.came = 'failed'
      if (ends === 'ROLLBACK') await client.query('ROLLBACK')
    }
  } catch (error) {
    if (record.came === 'to nothing yet') {
      record.came = 'failed'
      await client.query('ROLLBACK').catch(() => {})
    }
    throw error
  } finally {
    // What is asked for after the scope has closed is nobody's to take back.
    if (gives === 'back' || (gives === 'nothing back' && isLate)) client.release()
    if (gives === 'back to be closed') client.release(true)
  }

  async function commit(by: Place['send']): Promise<TransactionRecord['came']> {
    try {
      return (await by('COMMIT')).command === 'COMMIT' ? 'committed' : 'failed'
    } catch (error) {
      // What we refuse was never sent. What the connection was lost over may have come to either, unless the server said no.
      const isRefused =
        findLeaseholdError(error) !== undefined || /^[0-9A-Z]{5}$/.test(String((error as { code?: unknown }).code))
      record.came = isRefused ? 'failed' : 'in doubt'
      throw error
    }
  }
}

async function transaction(step: Step & { does: 'transaction' }, place: Place): Promise<void> {
  const { propagation, timeoutMs, isolation, retries, releases, steps } = step
  const isInside = place.declared !== undefined
  const isApart = propagation === 'not-supported' || (propagation === 'supports' && !isInside)
  const parent = propagation === 'requires-new' ? undefined : place.declared
  let record: TransactionRecord | undefined
  let hasWorked = false
  const work = async (client: pg.Client): Promise<void> => {
    if (record !== undefined) record.came = 'failed'
    record = { parent, came: 'to nothing yet' }
    hasWorked = false
    const of = isApart ? undefined : record
    const send: Place['send'] = (text, values) =>
      Math.random() < 0.5 || isApart ? client.query(text, values) : place.pool.query(text, values)
    if (releases) setTimeout(() => (client as unknown as pg.PoolClient).release(), 20)
    await play(steps, {
      ...place,
      send,
      transaction: of,
      declared: of,
      isGivenBack: place.isGivenBack || releases || timeoutMs !== undefined,
    })
    hasWorked = true
  }
  try {
    await place.pool.transaction(work, { propagation, timeoutMs, isolation, retries: isInside ? 0 : retries })
    if (record !== undefined) record.came = 'committed'
  } catch (error) {
    if (record !== undefined) record.came = hasWorked && isInDoubt(error) ? 'in doubt' : 'failed'
    throw error
  }
}

function isInDoubt(error: unknown): boolean {
  const ours = findLeaseholdError(error) as { readonly isInDoubt?: boolean } | undefined
  return ours === undefined
    ? !/^[0-9A-Z]{5}$/.test(String((error as { code?: unknown }).code))
    : ours.isInDoubt === true
}

function never(what: string): never {
  throw new Error(what)
}
