// One request of a NestJS service in CommonJS, as most are, and its end in an orderly close. Decorators are called, since
// nothing compiles this file.
'use strict'

const assert = require('node:assert/strict')
const { Controller, Get, Inject, Module } = require('@nestjs/common')
const { NestFactory } = require('@nestjs/core')
const core = require('@leasehold/core')
const { getPoolToken, LeaseholdModule } = require('@leasehold/nestjs')
const { LeaseholdHealthIndicator } = require('@leasehold/nestjs/terminus')
const pg = require('@leasehold/pg')

const pool = pg.createPgPool({ connectionString: process.env.DATABASE_URL, max: 2 })

class Orders {
  constructor(injected) {
    this.pool = injected
  }

  async read() {
    const { rows } = await this.pool.query('select 42 as answer')
    return { label: core.currentScope()?.label, answer: rows[0].answer }
  }
}
Controller('orders')(Orders)
Inject(getPoolToken())(Orders, undefined, 0)
Get(':id')(Orders.prototype, 'read', Object.getOwnPropertyDescriptor(Orders.prototype, 'read'))

class Service {}
Module({ imports: [LeaseholdModule.forRoot({ pool })], controllers: [Orders] })(Service)

async function main() {
  assert.equal(typeof LeaseholdHealthIndicator, 'function')
  const app = await NestFactory.create(Service, { logger: false, abortOnError: false })
  await app.listen(0)
  const reply = await fetch(`http://localhost:${app.getHttpServer().address().port}/orders/7`)
  assert.deepEqual(await reply.json(), { label: 'GET /orders/:id', answer: 42 })
  await app.close()
  assert.equal(pool.totalCount, 0)
}

main().catch((error) => {
  console.error(error)
  process.exitCode = 1
})
