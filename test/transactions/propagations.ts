import type { Propagation } from '@leasehold/core'

export const PROPAGATIONS: readonly Propagation[] = [
  'required',
  'requires-new',
  'nested',
  'supports',
  'not-supported',
  'mandatory',
  'never',
]
