import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidOptionsError, markOwnFrames, type PoolSource } from '@leasehold/core'
import {
  type DynamicModule,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnApplicationShutdown,
  type OnModuleInit,
  type Provider,
  RequestMethod,
} from '@nestjs/common'
import { APP_INTERCEPTOR, ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core'
import { checkTransactionalMethods } from './check-transactional-methods.js'
import { checkLeaseholdAsyncOptions, checkLeaseholdOptions, checkPoolNames } from './check-leasehold-options.js'
import { getPoolToken } from './get-pool-token.js'
import { HttpScopes } from './http-scopes.js'
import { LeaseholdExceptionFilter } from './leasehold-exception-filter.js'
import { LeaseholdInterceptor } from './leasehold-interceptor.js'
import type { LeaseholdAsyncOptions, LeaseholdOptions } from './leasehold-options.js'
import { ServicePools } from './service-pools.js'
import { givePools, TRANSACTION_POOLS, type TransactionPools } from './transactional-methods.js'

markOwnFrames(new Error('where this package lies'))

/** Opens a scope for each request and message of a service: `imports: [LeaseholdModule.forRoot({ pool })]`. */
export class LeaseholdModule implements NestModule, OnModuleInit, OnApplicationShutdown {
  readonly #pools: ServicePools
  readonly #scopes: HttpScopes
  readonly #host: HttpAdapterHost
  readonly #config: ApplicationConfig
  readonly #modules: ModulesContainer
  readonly #transactionPools: TransactionPools
  #readyMade: readonly object[] = []

  constructor(
    pools: ServicePools,
    scopes: HttpScopes,
    host: HttpAdapterHost,
    config: ApplicationConfig,
    modules: ModulesContainer,
    transactionPools: TransactionPools,
  ) {
    this.#pools = pools
    this.#scopes = scopes
    this.#host = host
    this.#config = config
    this.#modules = modules
    this.#transactionPools = transactionPools
    refuseSecond(modules)
  }

  /**
   * The module with these options. It is global: import it once, in the root module.
   *
   * @throws {InvalidOptionsError} naming all that is wrong with `options`.
   */
  static forRoot(options: LeaseholdOptions): DynamicModule {
    const checked = checkLeaseholdOptions(options)
    const pools = { provide: ServicePools, useFactory: () => ServicePools.ready(checked) }
    return dynamicModule(pools, Object.keys(checked.pools))
  }

  /**
   * The module with options that come from other providers or take time.
   *
   * @throws {InvalidOptionsError} naming all that is wrong with `options`; what is wrong with the options that the
   *   factory makes is refused when the service starts.
   */
  static forRootAsync(options: LeaseholdAsyncOptions): DynamicModule {
    const { imports = [], inject = [], useFactory, names = ['main'] } = checkLeaseholdAsyncOptions(options)
    const pools = {
      provide: ServicePools,
      inject,
      useFactory: async (...injected: never[]) => {
        const checked = checkLeaseholdOptions(
          (await useFactory(...injected)) ?? {},
          'What the factory of LeaseholdModule.forRootAsync makes',
        )
        checkPoolNames(names, checked)
        return ServicePools.ready(checked)
      },
    }
    return { ...dynamicModule(pools, names), imports }
  }

  configure(consumer: MiddlewareConsumer): void {
    const { httpAdapter } = this.#host
    this.#scopes.prepare(httpAdapter)
    const openScope = (request: IncomingMessage, response: ServerResponse, next: () => void): void =>
      this.#scopes.open(request, response, next)
    // Nest runs the middleware of global modules first.
    consumer.apply(openScope).forRoutes({ path: '{*path}', method: RequestMethod.ALL })
    if (this.#pools.options.errors !== false) {
      // The first is asked last: whatever filter of the service wants these errors has them. By now all are known.
      this.#config.getGlobalFilters().unshift(new LeaseholdExceptionFilter(this.#host))
    }
  }

  onModuleInit(): void {
    this.#readyMade = checkTransactionalMethods(this.#modules, this.#transactionPools)
  }

  /** Nest calls it when no request is under way any more, unlike `onModuleDestroy`. */
  async onApplicationShutdown(): Promise<void> {
    await this.#pools.close()
    // The next service in this process may be given the same objects.
    for (const owner of this.#readyMade) givePools(owner, undefined)
  }
}

Module({})(LeaseholdModule)
for (const [index, token] of [
  ServicePools,
  HttpScopes,
  HttpAdapterHost,
  ApplicationConfig,
  ModulesContainer,
  TRANSACTION_POOLS,
].entries()) {
  Inject(token)(LeaseholdModule, undefined, index)
}

function dynamicModule(pools: Provider, names: readonly string[]): DynamicModule {
  const byName = names.map((name) => ({
    provide: getPoolToken(name),
    inject: [ServicePools],
    useFactory: ({ options }: ServicePools) => options.pools[name],
  }))
  return {
    module: LeaseholdModule,
    global: true,
    providers: [
      pools,
      HttpScopes,
      LeaseholdInterceptor,
      { provide: APP_INTERCEPTOR, useExisting: LeaseholdInterceptor },
      ...byName,
      {
        provide: TRANSACTION_POOLS,
        // By their tokens: a test that has put another pool in the place of one means that.
        inject: byName.map(({ provide }) => provide),
        useFactory: (...sources: PoolSource[]): TransactionPools =>
          Object.fromEntries(names.map((name, at) => [name, sources[at] as PoolSource])),
      },
    ],
    // What interceptors and filters on a gateway or a controller are made of has to be found from there.
    exports: [ServicePools, HttpScopes, TRANSACTION_POOLS, ...byName.map(({ provide }) => provide)],
  }
}

function refuseSecond(modules: ModulesContainer): void {
  const ours = [...modules.values()].filter(({ metatype }) => metatype === LeaseholdModule)
  if (ours.length < 2) return
  throw new InvalidOptionsError('LeaseholdModule', [
    {
      option: 'imports',
      received: `${ours.length} of it in one service`,
      expected: 'one, in the root module, since it is global, with several databases as `pools`',
    },
  ])
}
