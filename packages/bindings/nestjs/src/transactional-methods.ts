import { type DeclaredTransaction, InvalidOptionsError, type PoolSource } from '@leasehold/core'
import { Inject, Optional } from '@nestjs/common'

/** The token of the pools of a service, by name. Registered, so that the ESM and the CommonJS build of this package agree. */
export const TRANSACTION_POOLS = Symbol.for('@leasehold/nestjs/transaction-pools/1')

/** The pools that transactions of one service run on, by name. */
export type TransactionPools = Readonly<Record<string, PoolSource>>

/** A method that runs in a transaction. */
export interface TransactionalMethod {
  /** What it is, before "cannot be used": `@Transactional of Orders.write`. */
  readonly of: string
  readonly declared: DeclaredTransaction
}

// oxlint-disable-next-line typescript/no-unsafe-function-type -- any method at all
type Method = Function & { readonly [MARK]?: TransactionalMethod }

const MARK = Symbol.for('@leasehold/nestjs/transactional-method/1')

/** The property under which an instance has its pools: each has those of the service in which it was made. */
const OWN = Symbol.for('@leasehold/nestjs/own-transaction-pools/1')

type Owner = object & { [OWN]?: TransactionPools }

export function markTransactional(method: object, what: TransactionalMethod): void {
  Object.defineProperty(method, MARK, { value: what })
}

export function isTransactional(method: unknown): boolean {
  return typeof method === 'function' && MARK in method
}

/** Those of a class, with the ones that it inherits. */
export function transactionalMethodsOf(prototype: object): readonly TransactionalMethod[] {
  const found = new Map<string | symbol, TransactionalMethod | undefined>()
  for (let home = prototype; home !== null && home !== Object.prototype; home = Object.getPrototypeOf(home) as object) {
    for (const key of Reflect.ownKeys(home)) {
      // What a class has overridden is no longer its method.
      if (!found.has(key)) found.set(key, markOf(Object.getOwnPropertyDescriptor(home, key)?.value))
    }
  }
  return [...found.values()].filter((method) => method !== undefined)
}

/** Has Nest give the pools of the service to each instance of a class, whatever its scope is. */
export function wantPools(prototype: Owner): void {
  if (OWN in prototype) return
  Object.defineProperty(prototype, OWN, {
    configurable: true,
    get: () => undefined,
    set(this: Owner, pools: TransactionPools) {
      givePools(this, pools)
    },
  })
  Inject(TRANSACTION_POOLS)(prototype, OWN)
  // Nest would say only that a symbol is missing: the first call says which module is.
  Optional()(prototype, OWN)
}

/** For instances that Nest was given ready-made. Takes nothing back from one that has pools already. */
export function givePools(owner: Owner, pools: TransactionPools | undefined): void {
  // Unseen: it is nobody's business in a log.
  Object.defineProperty(owner, OWN, { value: pools, configurable: true, writable: true })
}

export function poolsOf(owner: object): TransactionPools | undefined {
  return (owner as Owner)[OWN]
}

/** @throws {InvalidOptionsError} for an instance that Nest has not made, and in a service without the module. */
export function poolsFor({ of }: TransactionalMethod, owner: unknown): TransactionPools {
  const pools = typeof owner === 'object' && owner !== null ? poolsOf(owner) : undefined
  if (pools !== undefined) return pools
  const expected = 'LeaseholdModule.forRoot({ pool }) in the root module, and an instance that Nest has made'
  throw new InvalidOptionsError(of, [{ option: 'pool', received: 'an instance that was given none', expected }])
}

function markOf(method: unknown): TransactionalMethod | undefined {
  return typeof method === 'function' ? (method as Method)[MARK] : undefined
}
