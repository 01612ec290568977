import { createNamespace } from 'continuation-local-storage'
import { expect, test } from 'vitest'
import { clsHookedCarrier } from './cls-hooked-carrier.js'

// In a file of its own: loading continuation-local-storage changes Node's own functions.
test('a namespace of continuation-local-storage, which looks the same and does not follow promises, is refused', () => {
  const namespace = createNamespace('my-service')

  expect(() => clsHookedCarrier(namespace as never)).toThrow(
    'received a namespace that does not follow promises, such as continuation-local-storage has',
  )
})
