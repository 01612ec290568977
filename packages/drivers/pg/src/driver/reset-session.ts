import type { LedgerView, PinRecord } from '@leasehold/core'
import type { PgSession } from '../session/pg-session.js'
import { abortable } from '../wire/abortable.js'
import type { Unjudged } from '../wire/effect-account.js'
import { resetText } from './reset-text.js'

/** Whatever it was. */
const UNKNOWN: PinRecord = {
  kind: 'unknown',
  name: undefined,
  change: 'set',
  times: 1,
  since: 0,
  statement: undefined,
  site: undefined,
  isRepeatable: false,
  isOfBaseline: false,
}

/**
 * Makes a session as its first owner met it, in one round trip of exactly what that takes. A second one is needed only when
 * a function was called of which nobody knew what it does: then the database is asked, once for all.
 *
 * @param own a statement of the user's own in place of the recipe.
 * @throws {NotCleanableError} when only a new connection is clean.
 */
export async function resetSession(
  session: PgSession,
  ledger: LedgerView,
  own: string | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { wire } = session
  if (wire === undefined) return
  if (wire.lostBy !== undefined) throw wire.lostBy
  session.begin.forget()
  await wire.unbooked(async () => {
    if (own === undefined) await clean(session, ledger, signal)
    else await cleanWith(own, session, ledger, signal)
  })
  session.cleaned()
  if (wire.transaction !== 'idle') throw new Error(`the transaction was still ${wire.transaction} after the reset`)
}

async function clean(session: PgSession, ledger: LedgerView, signal: AbortSignal | undefined): Promise<void> {
  const unjudged = session.wire?.effects.takeUnjudged()
  if (unjudged === undefined) return run(session, [resetText(ledger)], signal)
  // What is known goes first: the rest may be harmless, and asking wants a session that answers.
  const known = ledger.pins.filter(({ kind, name }) => kind !== 'unknown' || !isUnjudged(name, unjudged))
  await run(session, [resetText({ ...viewOf(ledger), pins: known })], signal)
  if (known.some(({ kind }) => kind === 'unknown')) return
  if (await isHarmless(session, unjudged, signal)) return
  await run(session, [resetText({ ...viewOf(ledger), transaction: 'idle', pins: [UNKNOWN] })], signal)
}

async function cleanWith(
  own: string,
  session: PgSession,
  ledger: LedgerView,
  signal: AbortSignal | undefined,
): Promise<void> {
  const unjudged = session.wire?.effects.takeUnjudged()
  // What was only in doubt would otherwise cost the statement every time: nobody but a reset looks into the catalogue.
  if (ledger.pins.length === 0 && unjudged !== undefined && (await isHarmless(session, unjudged, signal))) return
  await run(session, ledger.transaction === 'idle' ? [own] : ['ROLLBACK', own], signal)
}

/** Has the database say what the functions and tables do that were used. */
async function isHarmless(
  { client, functions, wire }: PgSession,
  unjudged: Unjudged,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  if (unjudged.hasChanged) {
    // Whoever has read the catalogue meanwhile may not have seen what was not committed yet.
    functions.forget()
    // What it has used may be gone by now: nobody can be asked.
    return unjudged.functions.size + unjudged.relations.size === 0
  }
  const ask = functions.load(async (text) => (await client.query<Record<string, unknown>>(text)).rows)
  try {
    await abortable(ask, signal)
  } catch (error) {
    // A server that does not tell costs the whole recipe, and not a connection for each release.
    if (signal?.aborted === true || wire?.lostBy !== undefined) throw error
    return false
  }
  // The functions have changed meanwhile, and what was read is not kept.
  if (!functions.isLoaded) return false
  return (
    [...unjudged.relations].every((name) => functions.effectsOfRelation(name).length === 0) &&
    [...unjudged.functions].every((name) => {
      const effects = functions.effectsOf(name)
      return effects !== 'unjudged' && effects.every(({ isLocal }) => isLocal)
    })
  )
}

/** A ledger is an object of its own class: its fields are getters, which a spread would not take along. */
function viewOf({ transaction, isQuiet, lostBy, baseline }: LedgerView): Omit<LedgerView, 'pins'> {
  return { transaction, isQuiet, lostBy, baseline }
}

function isUnjudged(name: string | undefined, { functions }: Unjudged): boolean {
  return name?.startsWith('function ') === true && functions.has(name.slice('function '.length))
}

/** One text after the other, since a user's own may be one that stands only by itself (`DISCARD ALL`). */
async function run(session: PgSession, texts: readonly string[], signal: AbortSignal | undefined): Promise<void> {
  for (const text of texts) if (text !== '') await abortable(session.client.query(text), signal)
}
