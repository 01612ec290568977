export { expectNoLeaks, type ExpectNoLeaksOptions, type LeakingPool, type LeakSource } from './expect-no-leaks.js'
export { type RehearsalSource, type RehearsingPool, withRollback } from './with-rollback.js'
