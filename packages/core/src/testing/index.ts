export { type RehearsalSource, type RehearsingPool, withRollback } from './with-rollback.js'
