import { expect, it } from 'vitest'
import { failureFor } from './failure-for.js'

it('whoever awaits it is told of an error as it is, with the lines of its own', async () => {
  const error = new Error('no such tenant')
  await expect(
    (async function caller() {
      await failureFor(error, false)
    })(),
  ).rejects.toBe(error)
  expect(error.stack).toContain('caller')
})

it('an error that its maker has frozen reaches its caller as well, and so does what is no error', async () => {
  const frozen = Object.freeze(new Error('no such tenant'))
  await expect(failureFor(frozen, false)).rejects.toBe(frozen)
  await expect(failureFor('no such tenant', false)).rejects.toBe('no such tenant')
})
