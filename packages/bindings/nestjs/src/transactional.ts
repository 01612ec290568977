import { checkDeclaredTransaction, type DeclaredTransaction, poolForTransactions, refuseFaults } from '@leasehold/core'
import { isObservable } from 'rxjs'
import {
  isTransactional,
  markTransactional,
  poolsFor,
  type TransactionalMethod,
  wantPools,
} from './transactional-methods.js'

/** What `@Transactional` makes: a decorator of methods that return promises or lazy queries, or of a class with such methods. */
export interface TransactionalDecorator {
  <Method extends (...values: never[]) => PromiseLike<unknown>>(
    target: object,
    key: string | symbol,
    descriptor: TypedPropertyDescriptor<Method>,
  ): void
  (target: abstract new (...values: never[]) => object): void
}

// oxlint-disable-next-line typescript/no-unsafe-function-type -- any method at all
type AnyMethod = Function

/** What Nest calls by itself, at times when there is nothing to be in a transaction of. */
const LIFECYCLE: readonly PropertyKey[] = [
  'constructor',
  'onModuleInit',
  'onApplicationBootstrap',
  'onModuleDestroy',
  'beforeApplicationShutdown',
  'onApplicationShutdown',
]

/**
 * Runs a method of a provider or a controller in a transaction of the service's pool, which every query of Knex, Drizzle,
 * Prisma and `pg` inside it joins: committed before the caller has its result, rolled back when it throws. What it returns
 * is awaited inside.
 *
 * On a class: on all methods that the class itself declares, but for Nest's lifecycle hooks and those that have it already.
 *
 * @throws {InvalidOptionsError} naming all that is wrong with `options`, and what is decorated that is no method. A pool that
 * the service does not have is refused when it starts.
 */
export function Transactional(options: DeclaredTransaction = {}): TransactionalDecorator {
  const declared = checkDeclaredTransaction('@Transactional', options)
  return (target: object, key?: unknown, descriptor?: PropertyDescriptor) => {
    const { prototype } = (target ?? {}) as { readonly prototype?: object }
    if (typeof target === 'function' && key === undefined && typeof prototype === 'object') {
      decorateAll(prototype, declared)
      return
    }
    const method: unknown = descriptor?.value
    if (typeof target !== 'object' || typeof method !== 'function' || descriptor === undefined) {
      refuseFaults('@Transactional', [
        {
          option: typeof key === 'string' || typeof key === 'symbol' ? String(key) : 'target',
          received: whatIsDecorated(target, key),
          expected: 'a method of a class, with experimentalDecorators',
        },
      ])
      return
    }
    wantPools(target)
    descriptor.value = inTransaction(target, key as PropertyKey, method, declared)
  }
}

function whatIsDecorated(target: unknown, key: unknown): string {
  if (typeof target !== 'function') return 'a property, or a decorator of another standard'
  return key === undefined ? 'a function' : 'a static member'
}

function decorateAll(prototype: object, declared: DeclaredTransaction): void {
  wantPools(prototype)
  for (const key of Reflect.ownKeys(prototype)) {
    const descriptor = Object.getOwnPropertyDescriptor(prototype, key)
    const method: unknown = descriptor?.value
    if (typeof method !== 'function' || LIFECYCLE.includes(key) || isTransactional(method)) continue
    Object.defineProperty(prototype, key, { ...descriptor, value: inTransaction(prototype, key, method, declared) })
  }
}

function inTransaction(home: object, key: PropertyKey, method: AnyMethod, declared: DeclaredTransaction): AnyMethod {
  const what: TransactionalMethod = { of: `@Transactional of ${home.constructor.name}.${String(key)}`, declared }
  const { pool: name, ...options } = declared
  const transactional = async function (this: unknown, ...values: unknown[]): Promise<unknown> {
    const pool = poolForTransactions(what.of, poolsFor(what, this), name)
    return pool.transaction(async () => {
      const result: unknown = await method.apply(this, values)
      refuseLazy(what, result)
      return result
    }, options)
  }
  for (const property of ['name', 'length'] as const) {
    Object.defineProperty(transactional, property, { value: method[property], configurable: true })
  }
  copyMetadata(method, transactional)
  markTransactional(transactional, what)
  return transactional
}

/** What begins to work only when somebody subscribes or iterates would do so behind the commit. */
function refuseLazy({ of }: TransactionalMethod, result: unknown): void {
  const kind = isObservable(result) ? 'an Observable' : generatorKind(result)
  if (kind === undefined) return
  const expected = `a promise: nothing of ${kind} has run when the transaction ends. Return its values (lastValueFrom(…))`
  refuseFaults(of, [{ option: 'returned value', received: kind, expected }])
}

function generatorKind(result: unknown): string | undefined {
  const tag = Object.prototype.toString.call(result)
  return tag === '[object AsyncGenerator]' || tag === '[object Generator]' ? 'a generator' : undefined
}

/** What decorators below ours have noted on the method: its route, guards, pipes. Those above ours see the new one. */
function copyMetadata(from: AnyMethod, to: object): void {
  const { getOwnMetadataKeys, getOwnMetadata, defineMetadata } = Reflect as unknown as {
    getOwnMetadataKeys(target: object): readonly unknown[]
    getOwnMetadata(key: unknown, target: object): unknown
    defineMetadata(key: unknown, value: unknown, target: object): void
  }
  for (const key of getOwnMetadataKeys(from)) defineMetadata(key, getOwnMetadata(key, from), to)
}
