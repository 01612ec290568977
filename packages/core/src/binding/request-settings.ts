import type { ScopeOptions } from '../options/scope-options.js'
import type { Settings } from '../ports/settings.js'
import type { PoolSource } from './pool-source.js'

/** Knows the settings of one request. */
type AskSettings<Request> = (request: Request) => Settings | undefined | Promise<Settings | undefined>

/**
 * What the scopes of requests declare (see `ScopeOptions.settings`): a function that is asked at the first lease of a
 * request, when its hooks have authenticated it; or one for each of several pools, by their names.
 */
export type RequestSettings<Request> = AskSettings<Request> | Readonly<Record<string, AskSettings<Request>>>

/** The part of a scope's options that says so, for one request. */
export function settingsOptionsOf<Request>(
  settings: RequestSettings<Request> | undefined,
  pools: Readonly<Record<string, PoolSource>>,
  request: Request,
): Pick<ScopeOptions, 'settings' | 'poolSettings'> {
  if (settings === undefined) return {}
  if (typeof settings === 'function') return { settings: () => settings(request) }
  const poolSettings = new Map<object, () => Settings | undefined | Promise<Settings | undefined>>()
  for (const [name, ask] of Object.entries(settings)) {
    const pool = pools[name]
    if (pool !== undefined) poolSettings.set(pool, () => ask(request))
  }
  return { poolSettings }
}
