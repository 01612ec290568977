import { type OptionFault, printReceivedKind } from '@leasehold/core'

/** One operation of Prisma on its way to the engine, as far as it is looked at here. */
export interface PrismaRequest {
  readonly transaction?: { readonly kind?: string } | undefined
}

/** Prisma's data loader: it runs together what was asked for in one tick and has the same key. */
export interface DataLoaderOptions {
  batchBy(request: PrismaRequest): string | undefined
  singleLoader(request: PrismaRequest): Promise<unknown>
  batchLoader(requests: readonly PrismaRequest[]): Promise<unknown>
}

export interface RequestHandler {
  readonly dataloader: { readonly options: DataLoaderOptions }
  handleAndLogRequestError(facts: { readonly error: unknown }): never
}

export interface Engine {
  transaction(action: string, headers: unknown, facts: { readonly maxWait?: number }): Promise<unknown>
}

/** What `leasePrisma` touches inside a PrismaClient. None of it is public, so it is looked at before it is used. */
export interface PrismaInternals {
  readonly handler: RequestHandler
  readonly engine: Engine
  /** The adapter that the client was made with. */
  readonly adapter: unknown
}

const MAJORS = /^(?:7\.|6\.(?:19|[2-9]\d)\.)/

/** The inside of a PrismaClient, or what speaks against its being one of a version that is known. */
export function internalsOf(client: unknown): PrismaInternals | OptionFault {
  const version = at(client, '_clientVersion')
  if (typeof version !== 'string' || typeof at(client, '$transaction') !== 'function') {
    return faultOf('a PrismaClient', printReceivedKind(client))
  }
  const known = 'a PrismaClient of version 7, or 6.19 or later'
  if (!MAJORS.test(version)) return faultOf(known, `version ${version}`)
  const handler = at(client, '_requestHandler')
  const loader = at(handler, 'dataloader', 'options')
  const engine = at(client, '_engine')
  const isKnown =
    ['batchBy', 'singleLoader', 'batchLoader'].every((name) => typeof at(loader, name) === 'function') &&
    typeof at(handler, 'handleAndLogRequestError') === 'function' &&
    typeof at(engine, 'transaction') === 'function'
  if (!isKnown) return faultOf(known, `version ${version}, which is built in another way`)
  return {
    handler: handler as RequestHandler,
    engine: engine as Engine,
    adapter: at(client, '_engineConfig', 'adapter'),
  }
}

function at(value: unknown, ...names: readonly string[]): unknown {
  return names.reduce<unknown>((found, name) => (found as Record<string, unknown> | null | undefined)?.[name], value)
}

function faultOf(expected: string, received: string): OptionFault {
  return { option: 'client', expected, received }
}
