import { collectGarbage } from '@leasehold/testkit'
import { expect, it } from 'vitest'
import { FunctionCatalogue } from '../sql/function-catalogue.js'
import { readStatement } from '../sql/read-statement.js'
import { EffectAccount } from './effect-account.js'

function openAccount(): EffectAccount {
  return new EffectAccount({
    read: readStatement,
    catalogue: new FunctionCatalogue(),
    siteOf: () => undefined,
    isIntroduction: () => false,
    book: () => {},
    doubt: () => {},
    forgotten: () => {},
    changed: () => {},
  })
}

it('what is bound to a portal with a name, as each cursor has one of its own, is kept until its transaction ends', async () => {
  const account = openAccount()
  const bind = (portal: string): WeakRef<object> => {
    const values = ['somebody']
    account.parsed('select $1')
    account.bound(portal, undefined, values)
    account.executed(portal)
    account.synced()
    return new WeakRef(values)
  }

  const inTransaction = bind('C_1')
  account.ready('open')
  await collectGarbage()
  expect(inTransaction.deref()).toEqual(['somebody'])
  const last = bind('C_2')
  account.ready('idle')
  await collectGarbage()

  expect([inTransaction.deref(), last.deref()]).toEqual([undefined, undefined])
})
