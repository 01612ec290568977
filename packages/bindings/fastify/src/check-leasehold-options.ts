import { checkBindingOptions, flag, type NamedPools } from '@leasehold/core'
import type { PluginOptions } from './leasehold-options.js'

/** The options of the plugin, checked; the only pool is called `main`. */
export type CheckedOptions = PluginOptions & NamedPools

/** Refuses options in which anything is wrong, all of it in one error. */
export function checkLeaseholdOptions(options: unknown): CheckedOptions {
  return checkBindingOptions<Pick<PluginOptions, 'errors'>>('The leasehold plugin', options, {
    errors: flag,
  }) as CheckedOptions
}
