import { currentScope, openScope, runOutsideContext, type Scope, settingsOptionsOf } from '@leasehold/core'
import { type CallHandler, type ExecutionContext, Inject, type NestInterceptor } from '@nestjs/common'
import { Observable } from 'rxjs'
import { HttpScopes } from './http-scopes.js'
import { ServicePools } from './service-pools.js'

/**
 * Opens a scope for each message of a microservice or a websocket. The module registers it for all of a service; Nest
 * shows no global interceptor to gateways, so those need `@UseInterceptors(LeaseholdInterceptor)`.
 */
export class LeaseholdInterceptor implements NestInterceptor {
  readonly #pools: ServicePools
  readonly #requests: HttpScopes

  constructor(pools: ServicePools, requests: HttpScopes) {
    this.#pools = pools
    this.#requests = requests
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    switch (context.getType<string>()) {
      case 'http': {
        // A middleware that read the body by itself may have lost the scope.
        const scope = this.#requests.scopeOf(context.switchToHttp().getRequest())
        return scope === undefined || scope === currentScope() ? next.handle() : runIn(scope, next)
      }
      case 'rpc':
      case 'ws':
        return this.#messageScope(context, next)
      default:
        // GraphQL over HTTP: the request has a scope for all resolvers. Over a websocket nobody has opened one.
        return currentScope()?.isOpen === true ? next.handle() : this.#messageScope(context, next)
    }
  }

  #messageScope(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { mode, priority, deadlineMs, cancelOnAbort, settings, pools } = this.#pools.options
    const declared = settingsOptionsOf(settings, pools, { type: 'message', context })
    const label = `${context.getType<string>()} ${context.getClass().name}.${context.getHandler().name}`
    return new Observable((subscriber) => {
      // A message is a unit of work of its own, whoever's context its consumer was started in.
      const scope = runOutsideContext(() =>
        openScope({ label, mode, priority, deadlineMs, cancelOnAbort, ...declared }),
      )
      const subscription = runIn(scope, next).subscribe(subscriber)
      // Runs when the answers are complete, when one failed, and when nobody wants them any more.
      return () => {
        subscription.unsubscribe()
        void scope.close()
      }
    })
  }
}

function runIn(scope: Scope, next: CallHandler): Observable<unknown> {
  // Nest binds the handler to the context in which `handle` is called.
  return new Observable((subscriber) => scope.run(() => next.handle().subscribe(subscriber)))
}

Inject(ServicePools)(LeaseholdInterceptor, undefined, 0)
Inject(HttpScopes)(LeaseholdInterceptor, undefined, 1)
