import type { IncomingMessage } from 'node:http'

/** What Express writes on a request while it looks for its route. */
interface RoutedRequest extends IncomingMessage {
  /** The text of the url that the routers on the way have matched. */
  baseUrl?: string
  params?: Readonly<Record<string, unknown>>
  route?: { readonly path?: string | RegExp | ReadonlyArray<string | RegExp> }
}

/**
 * Knows the pattern of the route that a request has reached, with those of the routers on the way: `/tenants/:tenant/orders`.
 *
 * Express tells both halves too late and for too short a time: `req.route` is there when the route has matched,
 * `req.baseUrl` holds the values of the request in place of the names, whose `req.params` are gone in the next router,
 * and it is put back when a handler fails. So this looks at the moment when Express writes them.
 */
export class RoutePattern {
  #url: string | undefined
  /** The pattern of each base url that was met, by its text. */
  readonly #patterns = new Map<string, string>()
  /** As Express wrote it: undefined again in the end, when the outermost router is left. */
  #base: string | undefined

  constructor(incoming: IncomingMessage) {
    const request = incoming as RoutedRequest
    this.#base = request.baseUrl
    this.#patterns.set(this.#base ?? '', withNames(this.#base ?? '', request.params))
    let route = request.route
    Object.defineProperties(request, {
      baseUrl: {
        configurable: true,
        enumerable: true,
        get: () => this.#base,
        set: (base: string | undefined) => {
          this.#enter(base, request.params)
        },
      },
      route: {
        configurable: true,
        enumerable: true,
        get: () => route,
        set: (next: RoutedRequest['route']) => {
          route = next
          if (next?.path !== undefined) this.#url = joined(this.base, String(next.path))
        },
      },
    })
  }

  /** The pattern of the last route that matched; undefined before the first. */
  get url(): string | undefined {
    return this.#url
  }

  /** The pattern of the routers that the request is in at the moment; empty outside any. */
  get base(): string {
    return this.#patterns.get(this.#base ?? '') ?? ''
  }

  #enter(base: string | undefined, params: RoutedRequest['params']): void {
    const before = this.#base ?? ''
    if (typeof base === 'string' && base.length > before.length && base.startsWith(before)) {
      // One router deeper: what was added is that router's, and so are the params.
      this.#patterns.set(base, this.base + withNames(base.slice(before.length), params, this.base))
    }
    this.#base = base
  }
}

function joined(base: string, path: string): string {
  return base !== '' && path === '/' ? base : base + path
}

/**
 * The text of a path with the names of the params that were found in it in place of their values, of which there is no
 * end.
 *
 * @param known the pattern of the routers before: what is named in it may come again, by `mergeParams`.
 */
function withNames(text: string, params: RoutedRequest['params'], known = ''): string {
  const values = Object.entries(params ?? {}).flatMap(([name, value]) =>
    piecesOf(value).map((piece) => ({ name, piece })),
  )
  if (values.length === 0) return text
  const segments = text.split('/').map(decoded)
  // From the end, where the router's own are: `/orders/:id` may be asked for as `/orders/orders`.
  const parts = values.reverse().filter(({ name, piece }) => {
    const at = segments.lastIndexOf(piece)
    if (at >= 0) segments[at] = `:${name}`
    return at < 0 && !known.includes(`:${name}`)
  })
  for (const { name, piece } of parts) {
    const at = segments.findLastIndex((segment) => segment.includes(piece))
    if (at >= 0) segments[at] = segments[at]?.replace(piece, () => `:${name}`) ?? ''
  }
  // A wildcard takes several segments.
  return segments.filter((segment, at) => !segment.startsWith(':') || segment !== segments[at - 1]).join('/')
}

function piecesOf(value: unknown): readonly string[] {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value]
  return values
    .filter((each) => typeof each === 'string')
    .flatMap((each) => each.split('/'))
    .filter((piece) => piece !== '')
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment)
  } catch {
    return segment
  }
}
