/** On our pool, or on the one that the ORM makes or is commonly given. */
export type Pooling = 'ours' | 'own'

export type OrmName = 'Knex' | 'Drizzle' | 'Prisma'

/** An ORM on a database. */
export interface Orm {
  /** One row by its primary key. */
  find(id: number): PromiseLike<unknown>
}

/** Opens an ORM on the database at `url`. */
export type OpenOrm = (pooling: Pooling, url: string) => Orm | Promise<Orm>
