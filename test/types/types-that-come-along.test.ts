import { expect, test } from 'vitest'
import { publishablePackages } from '../../scripts/publishable-packages.mjs'

test('who installs @leasehold/pg has the types of pg: services on TypeORM, Knex or Prisma never installed them', () => {
  const pg = publishablePackages().find(({ name }) => name === '@leasehold/pg')
  expect(pg?.manifest.dependencies).toHaveProperty('@types/pg')
})
