import type { OpenPool } from '../contestants/contestant.js'
import { burst } from '../workloads/burst.js'
import { sequential } from '../workloads/sequential.js'
import { workers } from '../workloads/workers.js'

export type WorkloadName = 'sequential' | 'workers' | 'burst'

export interface Workload {
  readonly run: (pool: OpenPool, leases: number) => Promise<void>
  readonly leases: number
}

export const WORKLOADS: Readonly<Record<WorkloadName, Workload>> = {
  sequential: { run: sequential, leases: 50_000 },
  workers: { run: workers, leases: 64 * 800 },
  burst: { run: burst, leases: 10_000 },
}
