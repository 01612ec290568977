import type { DriverTransactions, Isolation, TransactionModes } from '@leasehold/core'
import type * as pg from 'pg'
import { GATE, type LeaseHandle } from '../handle/handle-fields.js'
import { sessionOf } from '../session/pg-session.js'

/** What the server says of the transaction that is open. */
interface ModesRow {
  readonly isolation: Isolation
  readonly read_only: string
  readonly deferrable: string
}

const MODES = `SELECT current_setting('transaction_isolation') AS isolation,
  current_setting('transaction_read_only') AS read_only, current_setting('transaction_deferrable') AS deferrable`

/** What the pool itself says for its transactions, through the handle of the lease on which they run. */
export const pgTransactions: DriverTransactions<pg.Client> = {
  begin: (client, modes) => {
    const session = sessionOf(client)
    session.localSettings.clear()
    session.wire?.forgetCollision()
    const text = `BEGIN${modesText(modes)}`
    const { [GATE]: gate } = client as Partial<LeaseHandle>
    // Nothing is sent now that would look whether it may be: the lease may be over, its holder gone, its mode `statement`.
    gate?.pass('query')
    gate?.refuseTransaction()
    if (gate?.refusal !== undefined) throw gate.refusal
    if (gate !== undefined && session.begin.defer(gate, text)) return undefined
    return client.query(text).then(() => {})
  },
  commit: async (client) => ((await client.query('COMMIT')).command === 'COMMIT' ? 'committed' : 'rolled back'),
  rollback: async (client) => void (await client.query('ROLLBACK')),
  savepoint: async (client, name) => void (await client.query(`SAVEPOINT ${name}`)),
  rollbackTo: async (client, name) => {
    sessionOf(client).localSettings.forget(name)
    // Both at once, so that nothing comes between: what others open there would end with it.
    await Promise.all([client.query(`ROLLBACK TO SAVEPOINT ${name}`), client.query(`RELEASE SAVEPOINT ${name}`)])
  },
  release: async (client, name) => {
    const send = (text: string, values?: readonly unknown[]): Promise<pg.QueryResult> =>
      client.query(text, values === undefined ? undefined : [...values])
    const restored = sessionOf(client).localSettings.restore(name, send)
    if (restored !== undefined) await restored
    await client.query(`RELEASE SAVEPOINT ${name}`)
  },
  modes: (client) => modesInForce((text) => client.query(text)),
  // By the wire, because ORMs make errors of their own of the server's.
  mayRetry: (client) => sessionOf(client).wire?.hasCollided === true,
}

/** Asks the server how the transaction that is open runs. */
export async function modesInForce(
  send: (text: string) => Promise<{ readonly rows: readonly unknown[] }>,
): Promise<TransactionModes> {
  const [row] = (await send(MODES)).rows as readonly ModesRow[]
  return {
    isolation: row?.isolation,
    readOnly: row && row.read_only === 'on',
    deferrable: row && row.deferrable === 'on',
  }
}

function modesText({ isolation, readOnly, deferrable }: TransactionModes): string {
  const parts = []
  if (isolation !== undefined) parts.push(`ISOLATION LEVEL ${isolation.toUpperCase()}`)
  if (readOnly !== undefined) parts.push(readOnly ? 'READ ONLY' : 'READ WRITE')
  if (deferrable !== undefined) parts.push(deferrable ? 'DEFERRABLE' : 'NOT DEFERRABLE')
  return parts.length === 0 ? '' : ` ${parts.join(', ')}`
}
