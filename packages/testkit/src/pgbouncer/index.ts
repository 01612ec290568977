export type { PgBouncerOptions } from './launch-pgbouncer.js'
export { usePgBouncer } from './use-pgbouncer.js'
