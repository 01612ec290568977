import type { IncomingMessage, ServerResponse } from 'node:http'
import { InvalidOptionsError, markOwnFrames } from '@leasehold/core'
import {
  type DynamicModule,
  Inject,
  type MiddlewareConsumer,
  Module,
  type NestModule,
  type OnApplicationShutdown,
  type Provider,
  RequestMethod,
} from '@nestjs/common'
import { APP_INTERCEPTOR, ApplicationConfig, HttpAdapterHost, ModulesContainer } from '@nestjs/core'
import { checkLeaseholdAsyncOptions, checkLeaseholdOptions, checkPoolNames } from './check-leasehold-options.js'
import { getPoolToken } from './get-pool-token.js'
import { HttpScopes } from './http-scopes.js'
import { LeaseholdExceptionFilter } from './leasehold-exception-filter.js'
import { LeaseholdInterceptor } from './leasehold-interceptor.js'
import type { LeaseholdAsyncOptions, LeaseholdOptions } from './leasehold-options.js'
import { ServicePools } from './service-pools.js'

markOwnFrames(new Error('where this package lies'))

/** Opens a scope for each request and message of a service: `imports: [LeaseholdModule.forRoot({ pool })]`. */
export class LeaseholdModule implements NestModule, OnApplicationShutdown {
  readonly #pools: ServicePools
  readonly #scopes: HttpScopes
  readonly #host: HttpAdapterHost
  readonly #config: ApplicationConfig

  constructor(
    pools: ServicePools,
    scopes: HttpScopes,
    host: HttpAdapterHost,
    config: ApplicationConfig,
    modules: ModulesContainer,
  ) {
    this.#pools = pools
    this.#scopes = scopes
    this.#host = host
    this.#config = config
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

  /** Nest calls it when no request is under way any more, unlike `onModuleDestroy`. */
  async onApplicationShutdown(): Promise<void> {
    await this.#pools.close()
  }
}

Module({})(LeaseholdModule)
for (const [index, token] of [
  ServicePools,
  HttpScopes,
  HttpAdapterHost,
  ApplicationConfig,
  ModulesContainer,
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
    ],
    // What interceptors and filters on a gateway or a controller are made of has to be found from there.
    exports: [ServicePools, HttpScopes, ...byName.map(({ provide }) => provide)],
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
