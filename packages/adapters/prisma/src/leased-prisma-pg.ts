import { attachLeaseholdError, findLeaseholdError, InvalidOptionsError, isLeaseholdError } from '@leasehold/core'
import { PrismaPg } from '@prisma/adapter-pg'
import type { AdapterState } from './adapter-state.js'
import type { PrismaAdapterOptions } from './check-adapter-options.js'
import { inTurn } from './in-turn.js'
import { LeaseFailure } from './lease-failure.js'
import { poolView, type PoolClass } from './pool-view.js'
import { releaseInAnyCase } from './release-in-any-case.js'

type Adapter = Awaited<ReturnType<PrismaPg['connect']>>

/** Prisma's own adapter, whose every connection is a lease. */
export class LeasedPrismaPg extends PrismaPg {
  readonly #state: AdapterState
  readonly #options: PrismaAdapterOptions

  constructor(state: AdapterState, options: PrismaAdapterOptions) {
    // Only a name and a type, until it is connected.
    super({}, options)
    this.#state = state
    this.#options = options
  }

  override async connect(): Promise<Adapter> {
    const state = this.#state
    const view = poolView(await poolClass(), state)
    const adapter = await new PrismaPg(view, this.#options).connect()
    if (adapter.underlyingDriver() !== view) throw notTaken('another class for pg.Pool than it tells of')
    handOnOurErrors(adapter)
    releaseInAnyCase(adapter)
    const { startTransaction } = adapter
    adapter.startTransaction = async function start(isolationLevel) {
      const transaction = await inTurn(state, () => startTransaction.call(this, isolationLevel))
      handOnOurErrors(transaction)
      return transaction
    }
    return adapter
  }
}

/** The `pg.Pool` that Prisma's adapter imports. A pool of its own is made, which opens nothing, and asked for its class. */
async function poolClass(): Promise<PoolClass> {
  const probe = await new PrismaPg({}).connect()
  try {
    if (typeof probe.underlyingDriver !== 'function') throw notTaken('an older one')
    return probe.underlyingDriver().constructor
  } finally {
    await probe.dispose()
  }
}

/**
 * Prisma translates errors of the driver into its own and forgets them: ours must still be found in what it makes. One of
 * ours itself it would replace, because it has a code.
 */
function handOnOurErrors(adapter: object): void {
  const translating = adapter as { onError(error: unknown): never }
  const translate = translating.onError
  translating.onError = function onError(error) {
    try {
      return translate.call(this, error)
    } catch (translated) {
      if (isLeaseholdError(translated)) throw new LeaseFailure(translated)
      const ours = findLeaseholdError(error)
      if (ours !== undefined && translated !== error) attachLeaseholdError(translated as object, ours)
      throw translated
    }
  }
}

function notTaken(received: string): LeaseFailure {
  return new LeaseFailure(
    new InvalidOptionsError(
      'createPrismaAdapter: @prisma/adapter-pg does not take the pool. If `npm ls pg` shows two copies, deduplicate them. It',
      [{ option: '@prisma/adapter-pg', expected: 'version 6.19.3 or later, before 8', received }],
    ),
  )
}
