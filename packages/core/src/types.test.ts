import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expectTypeOf, it } from 'vitest'
import {
  answerInTransaction,
  type BindingOptions,
  checkBindingOptions,
  checkDeclaredTransaction,
  type DeclaredTransaction,
  flag,
  givenLabel,
  type HeldAnswer,
  type NamedPools,
  poolForTransactions,
  refusesRequest,
  AbortedError,
  AcquireTimeoutError,
  asyncLocalCarrier,
  attachLeaseholdError,
  bindToContext,
  type BoundPool,
  type ResolvedPoolOptions,
  type PoolOptions,
  type LeakActions,
  type BreakerOptions,
  type BackoffOptions,
  boundPoolsOf,
  checkOptions,
  checkRouteLeasehold,
  type CloseReason,
  ConnectFailedError,
  createPool,
  currentScope,
  currentTransaction,
  describeHolder,
  detached,
  type Driver,
  examineOptions,
  faultsOfPoolOptions,
  findLeaseholdError,
  type DeadlockHolder,
  type Holder,
  InvalidOptionsError,
  isLeaseholdError,
  type Lease,
  LeaseholdError,
  type LeaseholdErrorCode,
  LeaseReleasedError,
  markOwnFrames,
  milliseconds,
  millisecondsOrNever,
  ModeViolationError,
  nearestName,
  objectWith,
  oneOf,
  openScope,
  openScopeInPlaceOf,
  type OptionFault,
  type OptionRule,
  type Pool,
  PoolClosedError,
  type PoolMode,
  type PoolSnapshot,
  type PoolSource,
  CircuitOpenError,
  OverloadedError,
  QueueFullError,
  printReceived,
  printReceivedKind,
  refuseFaults,
  RequestLeasehold,
  required,
  ResetFailedError,
  type RouteLeasehold,
  runInScope,
  runOutsideContext,
  type Scope,
  type ScopeCarrier,
  ScopeClosedError,
  type ScopeOptions,
  serviceUnavailable,
  type ServiceUnavailable,
  SettingRequiredError,
  SettingsFailedError,
  settingsOptionsOf,
  TransactionConflictError,
  TransactionEndedError,
  type TurnHolder,
  TurnTimeoutError,
  useScopeCarrier,
  wholeNumber,
  wholeNumberOrNoLimit,
  type TransactionOptions,
  SelfDeadlockError,
  StatementAbortedError,
  type StatementAbortReason,
} from './index.js'
import {
  expectNoLeaks,
  type ExpectNoLeaksOptions,
  type LeakSource,
  type RehearsalSource,
  withRollback,
} from './testing/index.js'

interface Client {
  ask(text: string): Promise<string>
}

declare const driver: Driver<Client>
declare const pool: Pool<Client>

// What is wrong here is found by `tsc`: nothing of it has to run.
describe('in TypeScript', () => {
  it('a pool lends what its driver opens', () => {
    const make = () => createPool(driver, { max: 3, check: async (client) => void (await client.ask('ping')) })
    expectTypeOf(make).returns.toEqualTypeOf<Pool<Client>>()
    expectTypeOf<Pool<Client>['acquire']>().returns.resolves.toEqualTypeOf<Lease<Client>>()
    expectTypeOf<Pool<Client>['tryAcquire']>().returns.toEqualTypeOf<Lease<Client> | undefined>()
    expectTypeOf<Lease<Client>['client']>().toEqualTypeOf<Client>()
    expectTypeOf<Lease<Client>>().toExtend<Disposable & AsyncDisposable>()
    expectTypeOf<Pool<Client>['snapshot']>().returns.toEqualTypeOf<PoolSnapshot>()
    const refused = () => [
      // @ts-expect-error -- no driver
      createPool(),
      // @ts-expect-error -- a typing error
      createPool(driver, { maximum: 3 }),
      // @ts-expect-error -- there is no such mode
      createPool(driver, { mode: 'row' }),
      // @ts-expect-error -- not what this driver opens
      createPool(driver, { check: async (client: string) => void client }),
      // @ts-expect-error -- there is no such priority
      pool.acquire({ priority: 'urgent' }),
    ]
    expectTypeOf(refused).toBeFunction()
  })

  it('use gives what the work gives, promised or lazy', () => {
    expectTypeOf(() => pool.use((client) => client.ask('one'))).returns.resolves.toEqualTypeOf<string>()
    expectTypeOf(() => pool.use((_client, lease) => lease.heldMs)).returns.resolves.toEqualTypeOf<number>()
    const lazy = () => pool.use(() => ({}) as PromiseLike<'lazy'>)
    expectTypeOf(lazy).returns.resolves.toEqualTypeOf<'lazy'>()
  })

  it('a transaction gives what the work in it gives, promised or lazy', () => {
    const one = () => pool.transaction((client) => client.ask('one'), { propagation: 'nested', retries: 2 })
    expectTypeOf(one).returns.resolves.toEqualTypeOf<string>()
    const lazy = () => pool.transaction(() => ({}) as PromiseLike<'lazy'>)
    expectTypeOf(lazy).returns.resolves.toEqualTypeOf<'lazy'>()
    expectTypeOf(currentTransaction).returns.toEqualTypeOf<object | undefined>()
    const refused = () => [
      // @ts-expect-error -- there is no such propagation
      pool.transaction(() => {}, { propagation: 'always' }),
      // @ts-expect-error -- there is no such isolation
      pool.transaction(() => {}, { isolation: 'perfect' }),
    ]
    expectTypeOf(refused).toBeFunction()
  })

  it('events know what they tell', () => {
    const listen = () => [
      pool.on('acquire', (event) => expectTypeOf(event.waitedMs).toEqualTypeOf<number>()),
      pool.on('close', (event) => expectTypeOf(event.reason).toEqualTypeOf<CloseReason>()),
      // @ts-expect-error -- there is no such event
      pool.on('acquired', () => {}),
    ]
    expectTypeOf(listen).returns.toEqualTypeOf<Array<() => void>>()
  })

  it('scopes give what the work in them gives, promised or lazy', () => {
    const label = 'job: report'
    expectTypeOf(() => runInScope({ label }, async () => 1 as const)).returns.resolves.toEqualTypeOf<1>()
    const lazy = () => runInScope({ label }, () => ({}) as PromiseLike<'lazy'>)
    expectTypeOf(lazy).returns.resolves.toEqualTypeOf<'lazy'>()
    expectTypeOf(() => runInScope({ label }, (scope) => scope.held)).returns.resolves.toEqualTypeOf<number>()
    expectTypeOf(() => detached((scope) => scope.label)).returns.resolves.toEqualTypeOf<string>()
    expectTypeOf(openScope).returns.toEqualTypeOf<Scope>()
    expectTypeOf(openScopeInPlaceOf).toEqualTypeOf<(before: Scope, options: ScopeOptions) => Scope>()
    expectTypeOf<Scope>().toExtend<AsyncDisposable>()
    expectTypeOf(currentScope).returns.toEqualTypeOf<Scope | undefined>()
    const bound = (scope: Scope) => scope.bind((id: number, name: string) => `${id} ${name}`)
    expectTypeOf(bound).returns.toEqualTypeOf<(id: number, name: string) => string>()
    const refused = () => [
      // @ts-expect-error -- a scope has a name
      runInScope({}, () => {}),
      // @ts-expect-error -- there is no such mode
      openScope({ label, mode: 'row' }),
    ]
    expectTypeOf(refused).toBeFunction()
  })

  it('what is bound to a context, or runs outside of it, keeps its type', () => {
    const bind = () => bindToContext((id: number) => String(id))
    expectTypeOf(bind).returns.toEqualTypeOf<(id: number) => string>()
    expectTypeOf(() => runOutsideContext(() => 1 as const)).returns.toEqualTypeOf<1>()
    expectTypeOf(asyncLocalCarrier<Date>).returns.toEqualTypeOf<ScopeCarrier<Date>>()
    expectTypeOf(useScopeCarrier).parameter(0).toEqualTypeOf<ScopeCarrier>()
    expectTypeOf(useScopeCarrier).toBeCallableWith(asyncLocalCarrier<unknown>())
  })

  it('an error that was recognised tells its code and its facts', () => {
    const recognise = (error: unknown) => (isLeaseholdError(error) ? error.code : undefined)
    expectTypeOf(recognise).returns.toEqualTypeOf<LeaseholdErrorCode | undefined>()
    expectTypeOf(findLeaseholdError).returns.toEqualTypeOf<LeaseholdError | undefined>()
    expectTypeOf(findLeaseholdError).parameter(0).toBeUnknown()
    expectTypeOf(attachLeaseholdError).parameters.toEqualTypeOf<[object, LeaseholdError]>()
    expectTypeOf(serviceUnavailable).returns.toEqualTypeOf<ServiceUnavailable | undefined>()
    expectTypeOf(describeHolder).toEqualTypeOf<(holder: Holder) => string>()

    expectTypeOf(LeaseholdError).instance.toExtend<Error>()
    expectTypeOf(AbortedError).instance.toHaveProperty('waitedMs').toEqualTypeOf<number>()
    expectTypeOf(AcquireTimeoutError).instance.toHaveProperty('holders').toEqualTypeOf<readonly Holder[]>()
    expectTypeOf(ConnectFailedError).instance.toHaveProperty('timedOut').toEqualTypeOf<boolean>()
    expectTypeOf(InvalidOptionsError).instance.toHaveProperty('faults').toEqualTypeOf<readonly OptionFault[]>()
    expectTypeOf(LeaseReleasedError).instance.toHaveProperty('operation').toEqualTypeOf<string>()
    expectTypeOf(ModeViolationError).instance.toHaveProperty('mode').toEqualTypeOf<PoolMode>()
    expectTypeOf(PoolClosedError).constructorParameters.toEqualTypeOf<[string]>()
    expectTypeOf(CircuitOpenError).instance.toHaveProperty('why').toEqualTypeOf<string | undefined>()
    expectTypeOf(OverloadedError).instance.toHaveProperty('targetMs').toEqualTypeOf<number>()
    expectTypeOf(SelfDeadlockError).instance.toHaveProperty('holders').toEqualTypeOf<readonly DeadlockHolder[]>()
    expectTypeOf(StatementAbortedError).instance.toHaveProperty('why').toEqualTypeOf<StatementAbortReason>()
    expectTypeOf(QueueFullError).instance.toHaveProperty('maxWaiting').toEqualTypeOf<number>()
    expectTypeOf(ResetFailedError).instance.toHaveProperty('left').toEqualTypeOf<string>()
    expectTypeOf(SettingRequiredError).instance.toHaveProperty('missing').toEqualTypeOf<readonly string[]>()
    expectTypeOf(TransactionConflictError).instance.toHaveProperty('label').toEqualTypeOf<string>()
    expectTypeOf(TransactionEndedError).instance.toHaveProperty('endedBy').toEqualTypeOf<string>()
    expectTypeOf(TransactionEndedError).instance.toHaveProperty('isInDoubt').toEqualTypeOf<boolean>()
    expectTypeOf(TurnTimeoutError).instance.toHaveProperty('holder').toEqualTypeOf<TurnHolder>()
    expectTypeOf(SettingsFailedError).instance.toHaveProperty('settings').toEqualTypeOf<readonly string[]>()
    expectTypeOf(ScopeClosedError).instance.toHaveProperty('label').toEqualTypeOf<string>()
    expectTypeOf<InstanceType<typeof AcquireTimeoutError>>().toExtend<LeaseholdError>()
  })

  it('a test takes a pool or a facade of one to be rolled back, and gives what it returned', () => {
    expectTypeOf<Pool<Client>>().toExtend<RehearsalSource>()
    expectTypeOf<{ readonly leases: Pool<Client> }>().toExtend<RehearsalSource>()
    expectTypeOf<{ readonly name: string }>().not.toExtend<RehearsalSource>()
    const rehearse = () => withRollback(pool, async () => 1)
    expectTypeOf(rehearse).returns.toEqualTypeOf<Promise<number>>()
  })

  it('adapters get back what their ORM returns, or a promise of it', () => {
    const transact = () => pool.ormTransaction((enter) => enter(async () => 'done'), { isNested: true })
    expectTypeOf(transact).returns.toEqualTypeOf<Promise<string>>()
  })

  it('a test takes a pool or a facade of one to look for leaks', () => {
    expectTypeOf(expectNoLeaks).parameters.toEqualTypeOf<[LeakSource, ExpectNoLeaksOptions?]>()
    expectTypeOf<Pool<Client>>().toExtend<LeakSource>()
    expectTypeOf<{ readonly leases: Pool<Client> }>().toExtend<LeakSource>()
    expectTypeOf<{ readonly name: string }>().not.toExtend<LeakSource>()
  })

  it('bindings are handed what they need, typed', () => {
    expectTypeOf(boundPoolsOf).toEqualTypeOf<(sources: Iterable<PoolSource>) => readonly BoundPool[]>()
    expectTypeOf<Pool<Client>>().toExtend<PoolSource>()
    expectTypeOf<{ leases: Pool<Client> }>().toExtend<PoolSource>()
    expectTypeOf<{ query(text: string): void }>().not.toExtend<PoolSource>()
    const route = () => checkRouteLeasehold<{ readonly own: number }>('This route', {}, { own: wholeNumber(1) })
    expectTypeOf(route).returns.toEqualTypeOf<RouteLeasehold & { readonly own: number }>()
    const settings = (request: { readonly tenant: string }) =>
      settingsOptionsOf(({ tenant }) => ({ 'app.tenant': tenant }), { main: pool }, request)
    expectTypeOf(settings).returns.toEqualTypeOf<Pick<ScopeOptions, 'settings' | 'poolSettings'>>()
    const options = () => checkBindingOptions<{ errors: boolean }>('This binding', {}, { errors: flag })
    expectTypeOf(options).returns.toExtend<{ errors: boolean } & BindingOptions<never> & NamedPools>()
    expectTypeOf(givenLabel).returns.toEqualTypeOf<string | undefined>()
    expectTypeOf(checkDeclaredTransaction).returns.toEqualTypeOf<DeclaredTransaction>()
    expectTypeOf<DeclaredTransaction>().toExtend<TransactionOptions>()
    const answer = (held: HeldAnswer<'sent'>) =>
      answerInTransaction(poolForTransactions('This route', { main: pool }, 'main'), { retries: 1 }, async () => held)
    expectTypeOf(answer).returns.toEqualTypeOf<Promise<'sent'>>()
    expectTypeOf(refusesRequest).toEqualTypeOf<(status: number) => boolean>()
    expectTypeOf(RequestLeasehold).constructorParameters.toEqualTypeOf<
      [scope: Scope, request: IncomingMessage, response: ServerResponse, ended?: () => void]
    >()
    expectTypeOf(RequestLeasehold).instance.toHaveProperty('signal').toEqualTypeOf<AbortSignal>()
    expectTypeOf(markOwnFrames).parameters.toEqualTypeOf<[Error]>()
  })

  it('an option may be undefined, as one is that comes from the environment', () => {
    type Given<Options> = { readonly [Name in keyof Options]: Options[Name] | undefined }
    expectTypeOf<Given<PoolOptions>>().toExtend<PoolOptions>()
    expectTypeOf<Given<BreakerOptions>>().toExtend<BreakerOptions>()
    expectTypeOf<Given<BackoffOptions>>().toExtend<BackoffOptions>()
    expectTypeOf<Given<LeakActions>>().toExtend<LeakActions>()
    expectTypeOf<ResolvedPoolOptions['name']>().toEqualTypeOf<string>()
  })

  it('options are checked by rules', () => {
    const check = () => checkOptions<{ readonly max: number }>('These', {}, { max: wholeNumber(1) })
    expectTypeOf(check).returns.toEqualTypeOf<Partial<{ readonly max: number }>>()
    expectTypeOf(examineOptions).returns.toHaveProperty('faults').toEqualTypeOf<readonly OptionFault[]>()
    expectTypeOf(refuseFaults).parameters.toEqualTypeOf<[string, readonly OptionFault[]]>()
    expectTypeOf(faultsOfPoolOptions).toEqualTypeOf<(options: unknown) => readonly OptionFault[]>()
    for (const rule of [wholeNumber, wholeNumberOrNoLimit, milliseconds, millisecondsOrNever]) {
      expectTypeOf(rule).toEqualTypeOf<(least: number) => OptionRule>()
    }
    expectTypeOf(() => oneOf('a', 'b')).returns.toEqualTypeOf<OptionRule>()
    expectTypeOf(objectWith).toEqualTypeOf<(what: string, methods: readonly string[]) => OptionRule>()
    expectTypeOf(required).toEqualTypeOf<(rule: OptionRule) => OptionRule>()
    expectTypeOf(nearestName).toEqualTypeOf<(name: string, known: readonly string[]) => string | undefined>()
    for (const print of [printReceived, printReceivedKind]) {
      expectTypeOf(print).toEqualTypeOf<(value: unknown) => string>()
    }
  })
})
