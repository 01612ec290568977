import type { BindingOptions, OneOrSeveralPools } from '@leasehold/core'
import type { FastifyRequest } from 'fastify'

/** What the plugin has besides its pools. */
export interface PluginOptions extends BindingOptions<FastifyRequest> {
  /** Whether errors that mean "no connection now" are answered 503 with Retry-After. Default true. */
  readonly errors?: boolean | undefined
}

/** The options of the plugin. */
export type LeaseholdOptions = PluginOptions & OneOrSeveralPools
