import { usePostgres } from '@leasehold/testkit/postgres'
import { describeTenants } from './describe-tenants.js'

const database = usePostgres()

describeTenants('on the server itself', database, database)
