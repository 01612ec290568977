// By its path: it runs while npm installs, when packages may not be linked yet.
import { generatePrismaClient } from '../orders/generate-prisma-client.mjs'

// The tables are those of the other examples, and so is what Prisma has to know of them.
generatePrismaClient(import.meta.url, new URL('../nestjs-prisma/schema.prisma', import.meta.url))
