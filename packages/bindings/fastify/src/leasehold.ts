import {
  boundPoolsOf,
  currentScope,
  InvalidOptionsError,
  markOwnFrames,
  openScope,
  RequestLeasehold,
  settingsOptionsOf,
} from '@leasehold/core'
import type {
  FastifyInstance,
  FastifyPluginAsync,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
  preValidationHookHandler,
} from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { type CheckedOptions, checkLeaseholdOptions } from './check-leasehold-options.js'
import type { LeaseholdOptions } from './leasehold-options.js'
import { prepareUnavailable } from './prepare-unavailable.js'
import type { RegisteredPools } from './registered-pools.js'
import type { RouteLeasehold } from './route-leasehold.js'
import { RouteScopes } from './route-scopes.js'

declare module 'fastify' {
  interface FastifyInstance {
    /** What the leasehold plugin was registered with. */
    readonly leasehold: { readonly pools: RegisteredPools }
  }

  interface FastifyRequest {
    /** The scope of this request, and a signal that aborts when nobody waits for its answer any more. */
    readonly leasehold: RequestLeasehold
  }

  interface FastifyContextConfig {
    /** What this route says about its requests. */
    readonly leasehold?: RouteLeasehold | undefined
  }
}

const OWN = Symbol('the leasehold of a request')

type RequestWithOwn = FastifyRequest & { [OWN]: RequestLeasehold | null }

markOwnFrames(new Error('where this package lies'))

const plugin: FastifyPluginAsync<LeaseholdOptions> = async (fastify, given) => {
  const options = checkLeaseholdOptions(given)
  refuseSecond(fastify)
  const pools = boundPoolsOf(Object.values(options.pools))

  const routes = new RouteScopes(options)
  fastify.decorate('leasehold', { pools: options.pools })
  fastify.decorateRequest(OWN, null)
  fastify.decorateRequest('leasehold', { getter: leaseholdOf })
  fastify.addHook('onRoute', (route) => routes.declare(route))
  fastify.addHook('onRequest', openScopeOf(routes, options))
  fastify.addHook('preValidation', enterScopeAgain)
  if (options.errors !== false) fastify.addHook('onError', prepareUnavailable)
  if (options.closePool !== false) {
    // Fastify runs these when no request is under way any more.
    const { closeDeadlineMs: deadlineMs } = options
    fastify.addHook('onClose', async () => {
      await Promise.all(pools.map((pool) => pool.close({ deadlineMs })))
    })
  }
  await Promise.all(pools.map((pool) => pool.ready()))
}

/** Opens a scope for every request: `await app.register(leasehold, { pool })`. */
export const leasehold: FastifyPluginAsync<LeaseholdOptions> = fastifyPlugin(plugin, {
  name: '@leasehold/fastify',
  fastify: '5.x',
})

function openScopeOf(routes: RouteScopes, { settings, pools }: CheckedOptions): onRequestHookHandler {
  return (request, reply, done) => {
    const options = routes.optionsFor(request)
    if (options === undefined) {
      done()
      return
    }
    const scope =
      settings === undefined
        ? openScope(options)
        : openScope({ ...options, ...settingsOptionsOf(settings, pools, request) })
    const own = new RequestLeasehold(scope, request.raw, reply.raw)
    ;(request as RequestWithOwn)[OWN] = own
    if (request.raw.headers.upgrade !== undefined) closeAtHijack(own, reply)
    // What comes after this hook, up to the handler and beyond, runs in the scope.
    own.scope.run(done)
  }
}

/** Closes the scope as soon as the reply is hijacked: for an upgrade, whose socket may live for days. */
function closeAtHijack(own: RequestLeasehold, reply: FastifyReply): void {
  const hijack = reply.hijack.bind(reply)
  reply.hijack = () => {
    void own.scope.close()
    return hijack()
  }
}

/** A body parser or a hook that calls back from an event of its own comes back outside the scope. */
const enterScopeAgain: preValidationHookHandler = (request, _reply, done) => {
  const scope = (request as RequestWithOwn)[OWN]?.scope
  if (scope === undefined || currentScope() === scope) done()
  else scope.run(done)
}

function leaseholdOf(this: FastifyRequest): RequestLeasehold {
  const own = (this as RequestWithOwn)[OWN]
  if (own === null || own === undefined) {
    const received = 'one that has none: its route is `off`, or the onRequest hook of the plugin is still to come'
    throw new InvalidOptionsError('request.leasehold', [
      { option: 'request', received, expected: 'a request with a scope' },
    ])
  }
  return own
}

function refuseSecond(fastify: FastifyInstance): void {
  if (!fastify.hasRequestDecorator('leasehold')) return
  throw new InvalidOptionsError('The leasehold plugin', [
    {
      option: 'register',
      received: 'a second registration on this instance or on one inside it',
      expected: 'one registration, with several databases as `pools`',
    },
  ])
}
