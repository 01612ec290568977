import { checked, input, type Store } from '@leasehold/example-orders'
import { Router } from 'express'

export function accounts(store: Store): Router {
  const router = Router()

  router.post('/accounts', async ({ body }, response) => {
    response.status(201).json(await store.openAccount(checked(input.account, body)))
  })

  router.get('/accounts/:id', async ({ params }, response) => {
    response.json(await store.account(checked(input.byId, params).id))
  })

  return router
}
