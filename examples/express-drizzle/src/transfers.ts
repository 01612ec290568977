import { checked, input, type Store } from '@leasehold/example-orders'
import { Router } from 'express'

export function transfers(store: Store): Router {
  const router = Router()

  router.post('/transfers', async ({ body, leasehold: { signal } }, response) => {
    // Locks may be long in coming, and a client that has hung up would never learn that its money moved.
    const transfer = await store.transfer(checked(input.transfer, body), () => signal.throwIfAborted())
    response.status(201).json(transfer)
  })

  return router
}
