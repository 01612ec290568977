import { findLeaseholdError, openScope, runInScope } from '@leasehold/core'
import { createPgPool, type LeaseholdOptions, type LeasedPgPool } from '@leasehold/pg'
import { Gate } from '@leasehold/testkit'
import { Client } from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { ORMS, type TenantOrm } from './orms.js'

const TENANTS = 20
const OF_EACH = 3
const REQUESTS = 1_200
const AT_ONCE = 50
/** What is asked is whose rows are seen, on however slow a machine. */
const PATIENT: LeaseholdOptions = { queueDelay: false, acquireTimeoutMs: 60_000 }

/** The accounts of tenant 7 are 701, 702, 703. */
const accountOf = (tenant: number): number => tenant * 100 + 1 + Math.floor(Math.random() * OF_EACH)
const nameOf = (tenant: number): string => `tenant ${tenant}`
/** Each ORM has its own words for what the server refuses. */
const isError = (error: unknown): boolean => error instanceof Error
const isSettingsFailed = (error: unknown): boolean => findLeaseholdError(error)?.code === 'LEASEHOLD_SETTINGS_FAILED'
const someTenant = (): number => 1 + Math.floor(Math.random() * TENANTS)

/**
 * Row-level security by declared settings, without a transaction for each request: what each of thousands of requests sees
 * is its own, and who declares nothing meets nobody's settings.
 *
 * @param database of which tests are the only users.
 * @param through what the pool connects to: the database itself, or what stands before it.
 */
export function describeTenants(
  title: string,
  database: { readonly url: string },
  through: { readonly url: string },
  leasehold: LeaseholdOptions = {},
): void {
  const ROLE = `tenant_${process.pid}_${Math.random().toString(36).slice(2, 8)}`
  let admin: Client
  let pool: LeasedPgPool
  let orm: TenantOrm

  beforeAll(async () => {
    admin = new Client(database.url)
    await admin.connect()
    await admin.query(`
      create table accounts (id int primary key, owner text not null, balance int not null default 0);
      create role ${ROLE};
      grant all on accounts to ${ROLE};
      alter table accounts enable row level security;
      create policy own_rows on accounts to ${ROLE}
        using (owner = nullif(current_setting('app.tenant_id', true), ''))`)
  })
  beforeEach(async () => {
    pool = createPgPool({ connectionString: through.url, max: 5, leasehold: { ...PATIENT, ...leasehold } })
    await admin.query(`
      truncate accounts;
      insert into accounts (id, owner)
        select t * 100 + n, 'tenant ' || t from generate_series(1, ${TENANTS}) t, generate_series(1, ${OF_EACH}) n`)
  })
  afterEach(() => pool.close({ deadlineMs: 1_000 }))
  afterAll(async () => {
    await admin.query(`drop owned by ${ROLE} cascade; drop role ${ROLE}`)
    await admin.query('drop table accounts')
    await admin.end()
  })

  const settingsOf = (tenant: number) => ({ role: ROLE, 'app.tenant_id': nameOf(tenant) })
  const asTenant = <R>(tenant: number, work: () => Promise<R>): Promise<Awaited<R>> =>
    runInScope({ label: nameOf(tenant), settings: settingsOf(tenant) }, work)
  const ownOf = (tenant: number): string[] => Array<string>(OF_EACH).fill(nameOf(tenant))

  /** Each in its own way: what a request does, and what it must see. */
  const requests: ReadonlyArray<(db: TenantOrm, tenant: number) => Promise<void>> = [
    (db, tenant) => asTenant(tenant, async () => expect(await db.owners()).toEqual(ownOf(tenant))),
    (db, tenant) => asTenant(tenant, async () => expect(await db.ownerOf(accountOf(tenant))).toBe(nameOf(tenant))),
    (db, tenant) =>
      asTenant(tenant, async () => {
        const other = (tenant % TENANTS) + 1
        expect(await db.ownerOf(accountOf(other))).toBeUndefined()
        await expect(db.open(9_000 + tenant, nameOf(other))).rejects.toSatisfy(isError)
      }),
    (db, tenant) =>
      asTenant(tenant, async () => {
        const [first, second] = await db.transaction(async (inside) => [await inside.owners(), await inside.owners()])
        expect([first, second]).toEqual([ownOf(tenant), ownOf(tenant)])
      }),
    (db, tenant) =>
      asTenant(tenant, async () => {
        await expect(
          db.transaction(async (inside) => {
            expect(await inside.owners()).toEqual(ownOf(tenant))
            await inside.fail()
          }),
        ).rejects.toSatisfy(isError)
        expect(await db.owners()).toEqual(ownOf(tenant))
      }),
    (db, tenant) =>
      asTenant(tenant, async () => {
        await expect(db.fail()).rejects.toSatisfy(isError)
        expect(await db.owners()).toEqual(ownOf(tenant))
      }),
    // Gone at some moment, wherever it may be.
    async (db, tenant) => {
      const scope = openScope({ label: 'aborted', settings: settingsOf(tenant) })
      const seen = scope.run(() => db.owners()).catch(() => ownOf(tenant))
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 5))
      await scope.close()
      expect(await seen).toEqual(ownOf(tenant))
    },
    // Nobody's: the login's own rights, and all rows.
    (db) =>
      runInScope({ label: 'nobody' }, async () => {
        expect(new Set(await db.owners()).size).toBe(TENANTS)
      }),
  ]

  describe.each(ORMS)(`${title}, with $name`, ({ open }) => {
    beforeEach(async () => {
      orm = await open(pool)
    })

    it('each of thousands of requests, some aborted and some failing, sees the rows of its tenant and no other', async () => {
      const failures: unknown[] = []
      let next = 0
      const worker = async (): Promise<void> => {
        while (next < REQUESTS) {
          const request = requests[next++ % requests.length]
          await request?.(orm, someTenant()).catch((error: unknown) => failures.push(error))
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, worker))

      expect(failures.slice(0, 3)).toEqual([])
    }, 120_000)

    it('requests of many tenants that resume in one tick look their rows up by key, each its own', async () => {
      const gate = new Gate()
      const waiting = Array.from({ length: 200 }, (_, at) => {
        const tenant = (at % TENANTS) + 1
        return asTenant(tenant, async () => {
          await gate.promise
          const other = (tenant % TENANTS) + 1
          return [await orm.ownerOf(tenant * 100 + 1), await orm.ownerOf(other * 100 + 1)]
        })
      })
      gate.open()

      const seen = await Promise.all(waiting)

      expect(seen).toEqual(waiting.map((_, at) => [nameOf((at % TENANTS) + 1), undefined]))
    })

    it('a setting that fails keeps every statement from running', async () => {
      const settings = { role: 'nobody_like_it', 'app.tenant_id': nameOf(1) }
      await runInScope({ label: 'bad', settings }, async () => {
        await expect(orm.open(9_999, nameOf(1))).rejects.toSatisfy(isSettingsFailed)
        await expect(orm.transaction((inside) => inside.open(9_998, nameOf(1)))).rejects.toSatisfy(isSettingsFailed)
      })

      expect((await admin.query('select from accounts where id > 9000')).rowCount).toBe(0)
      expect(await asTenant(1, () => orm.owners())).toEqual(ownOf(1))
    })
  })
}
