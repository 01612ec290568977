import { usePgBouncer } from '@leasehold/testkit/pgbouncer'
import { usePostgres } from '@leasehold/testkit/postgres'
import { describeTenants } from './describe-tenants.js'

const database = usePostgres()
const bouncer = usePgBouncer(database, { mode: 'transaction', size: 3 })

describeTenants('behind PgBouncer that pools transactions', database, bouncer, { behind: 'pgbouncer' })
