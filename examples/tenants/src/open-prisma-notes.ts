import type { LeasedPgPool } from '@leasehold/pg'
import { createPrismaAdapter, leasePrisma } from '@leasehold/prisma'
import { PrismaClient } from '../.generated/client/client.js'
import type { Notes } from './notes.js'

export function openPrismaNotes(pool: LeasedPgPool): Notes {
  const prisma = leasePrisma(new PrismaClient({ adapter: createPrismaAdapter(pool) }), pool)
  return {
    all: async () => await prisma.note.findMany({ orderBy: { id: 'asc' } }),
    // Look-ups by key of many requests may come in one tick: a leased client keeps those of two tenants apart.
    one: async (id) => (await prisma.note.findUnique({ where: { id } })) ?? undefined,
    write: async (text) => await prisma.note.create({ data: { text } }),
  }
}
