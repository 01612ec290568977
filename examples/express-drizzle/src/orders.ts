import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { checked, input, linesOf, type Store } from '@leasehold/example-orders'
import { Router } from 'express'

export function orders(store: Store): Router {
  const router = Router()

  router.post('/orders', async ({ body }, response) => {
    response.status(201).json(await store.placeOrder(checked(input.order, body)))
  })

  router.get('/orders/export', async (_request, response) => {
    response.type('application/x-ndjson')
    await pipeline(Readable.from(linesOf(store.allOrders())), response)
  })

  router.get('/orders/:id', async ({ params }, response) => {
    response.json(await store.order(checked(input.byId, params).id))
  })

  router.get('/accounts/:id/orders', async ({ params }, response) => {
    response.json(await store.ordersOf(checked(input.byId, params).id))
  })

  return router
}
