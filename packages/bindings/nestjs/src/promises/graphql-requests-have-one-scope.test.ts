import { createPool, currentScope, type Pool, type Scope } from '@leasehold/core'
import { type FakeClient, FakeDriver, Gate } from '@leasehold/testkit'
import { ApolloDriver, type ApolloDriverConfig } from '@nestjs/apollo'
import { type INestApplication, Module } from '@nestjs/common'
import { Args, GraphQLModule, Parent, Query, ResolveField, Resolver } from '@nestjs/graphql'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { LeaseholdModule } from '../leasehold-module.js'
import { platforms, portOf } from './platforms.js'

let pool: Pool<FakeClient>
/** The scope of each resolver that ran, in turn. */
let scopes: Array<Scope | undefined>
let bothHaveBegun: Gate
let begun: number

/** Borrows, and forgets to give back: says in whose name. */
async function borrow(): Promise<string> {
  scopes.push(currentScope())
  const lease = await pool.acquire()
  await lease.client.query('select')
  return `${currentScope()?.label}`
}

interface Order {
  readonly id: number
}

const typeDefs = `
  type Order {
    id: Int!
    owner: String!
    next: Order!
  }
  type Query {
    orders(ids: [Int!]!): [Order!]!
    version: String!
    wrong: String
    together: String!
  }
`

@Resolver('Order')
class Orders {
  @Query()
  async orders(@Args('ids') ids: readonly number[]): Promise<readonly Order[]> {
    await borrow()
    return ids.map((id) => ({ id }))
  }

  @Query()
  version(): Promise<string> {
    return borrow()
  }

  @Query()
  async wrong(): Promise<string> {
    await borrow()
    throw new Error('of the resolver')
  }

  /** Goes on when two requests have come this far. */
  @Query()
  async together(): Promise<string> {
    begun += 1
    if (begun === 2) bothHaveBegun.open()
    await bothHaveBegun.promise
    return borrow()
  }

  @ResolveField()
  async owner(@Parent() { id }: Order): Promise<string> {
    return `${await borrow()} ${id}`
  }

  @ResolveField()
  async next(@Parent() { id }: Order): Promise<Order> {
    await borrow()
    return { id: id + 1 }
  }
}

describe.each(platforms)('a request of GraphQL over HTTP, on $name', ({ name, create }) => {
  // Apollo is no route of Express but a middleware, below which Express knows of none.
  const label = name === 'Express' ? 'POST (no route)' : 'POST /graphql'
  let app: INestApplication

  beforeEach(async () => {
    pool = createPool(new FakeDriver(), { max: 20, closeGraceMs: 20 })
    scopes = []
    bothHaveBegun = new Gate()
    begun = 0

    @Module({
      imports: [
        LeaseholdModule.forRoot({ pool }),
        GraphQLModule.forRoot<ApolloDriverConfig>({
          driver: ApolloDriver,
          typeDefs,
          playground: false,
          // It would write on standard error that it was stopped with the service.
          stopOnTerminationSignals: false,
        }),
      ],
      providers: [Orders],
    })
    class Service {}

    app = await create(Service)
  })
  afterEach(() => app.close())

  async function ask(query: string): Promise<unknown> {
    const answer = await fetch(`http://localhost:${portOf(app)}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query }),
    })
    return answer.json()
  }

  /** How many scopes the resolvers ran in, after everything has been taken back. */
  async function scopesUsed(): Promise<number> {
    await vi.waitFor(() => expect(pool.snapshot().connections).toMatchObject({ lent: 0, recycling: 0 }))
    expect(scopes.filter((scope) => scope === undefined || scope.isOpen)).toEqual([])
    return new Set(scopes).size
  }

  it('runs all its resolvers and field resolvers in one scope, and gives back what they forgot', async () => {
    const answer = await ask('{ version orders(ids: [1, 2]) { id owner next { id owner next { owner } } } }')

    const order = (id: number) => ({
      id,
      owner: `${label} ${id}`,
      next: { id: id + 1, owner: `${label} ${id + 1}`, next: { owner: `${label} ${id + 2}` } },
    })
    expect(answer).toEqual({ data: { version: label, orders: [order(1), order(2)] } })
    expect(scopes).toHaveLength(12)
    expect(await scopesUsed()).toBe(1)
  })

  it('has a scope of its own beside another one that is answered at the same time', async () => {
    const answers = await Promise.all([ask('{ together version }'), ask('{ together orders(ids: [1]) { owner } }')])

    expect(answers).toMatchObject([{ data: { together: label } }, { data: { together: label } }])
    expect(scopes).toHaveLength(5)
    expect(await scopesUsed()).toBe(2)
  })

  it('gives back what a resolver held that failed, and answers with the others', async () => {
    expect(await ask('{ version wrong }')).toMatchObject({
      data: { version: label, wrong: null },
      errors: [{ message: 'of the resolver', path: ['wrong'] }],
    })
    expect(await scopesUsed()).toBe(1)
  })
})
