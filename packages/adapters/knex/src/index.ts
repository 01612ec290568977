export { createKnex } from './create-knex.js'
