import { type ScopeCarrier, useScopeCarrier } from '@leasehold/core'
import { createNamespace, type getNamespace } from 'cls-hooked'
import { describe, expectTypeOf, it } from 'vitest'
import { clsHookedCarrier, type ClsHookedNamespace } from './index.js'

// What is wrong here is found by `tsc`: nothing of it has to run.
describe('in TypeScript', () => {
  it('what cls-hooked creates and finds is a namespace', () => {
    expectTypeOf(createNamespace).returns.toExtend<ClsHookedNamespace>()
    expectTypeOf<NonNullable<ReturnType<typeof getNamespace>>>().toExtend<ClsHookedNamespace>()
    expectTypeOf(clsHookedCarrier).parameters.toEqualTypeOf<[ClsHookedNamespace]>()
  })

  it('its carrier can be put in place of the default one', () => {
    const use = () => useScopeCarrier(clsHookedCarrier(createNamespace('my-service')))
    expectTypeOf(use).returns.toBeVoid()
    expectTypeOf(clsHookedCarrier<Date>).returns.toEqualTypeOf<ScopeCarrier<Date>>()
    const refused = () => [
      // @ts-expect-error -- the name is not the namespace
      clsHookedCarrier('my-service'),
      // @ts-expect-error -- no namespace
      clsHookedCarrier(),
    ]
    expectTypeOf(refused).toBeFunction()
  })
})
