export { openKnexStore } from './open-knex-store.js'
export { startOnFastify } from './start-on-fastify.js'
