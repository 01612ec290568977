import { pathToFileURL } from 'node:url'
import { join } from 'node:path'
import { generateClient } from './generate-client.js'

export interface Account {
  readonly id: number
  readonly owner: string
  readonly balance: number
  readonly orders?: ReadonlyArray<{ readonly note: string }>
}

type Where = { readonly where: object; readonly include?: object }

/** What tests use of the generated client. Its own types do not exist before it is generated, which is when tests run. */
export interface Queries {
  readonly account: {
    findUnique(args: Where): PromiseLike<Account | null>
    findUniqueOrThrow(args: Where): PromiseLike<Account>
    findFirst(args?: Where): PromiseLike<Account | null>
    findMany(args?: object): PromiseLike<Account[]>
    create(args: object): PromiseLike<Account>
    update(args: object): PromiseLike<Account>
    count(): PromiseLike<number>
  }
  readonly session: {
    findUnique(args: Where): PromiseLike<{ readonly tenant: string | null } | null>
    findUniqueOrThrow(args: Where): PromiseLike<{ readonly tenant: string | null }>
  }
  $queryRaw<T>(text: TemplateStringsArray, ...values: unknown[]): PromiseLike<T>
  $queryRawUnsafe<T>(text: string, ...values: unknown[]): PromiseLike<T>
  $executeRaw(text: TemplateStringsArray, ...values: unknown[]): PromiseLike<number>
}

export interface TransactionOptions {
  readonly maxWait?: number
  readonly timeout?: number
  readonly isolationLevel?: string
}

export interface TransactionClient extends Queries {
  $transaction<R>(work: (tx: TransactionClient) => Promise<R>): Promise<R>
}

export interface TestClient extends Queries {
  $transaction<R>(work: (tx: TransactionClient) => Promise<R>, options?: TransactionOptions): Promise<R>
  $transaction(parts: ReadonlyArray<PromiseLike<unknown>>, options?: TransactionOptions): Promise<unknown[]>
  $connect(): Promise<void>
  $disconnect(): Promise<void>
  $on(event: string, listener: (event: { readonly query: string; readonly message: string }) => void): void
  $extends(extension: object): TestClient
}

export type TestClientClass = new (options: object) => TestClient

/** The class of the generated client. */
export async function loadClient(): Promise<TestClientClass> {
  const file = pathToFileURL(join(await generateClient(), 'client.ts')).href
  const { PrismaClient } = (await import(/* @vite-ignore */ file)) as { PrismaClient: TestClientClass }
  return PrismaClient
}
