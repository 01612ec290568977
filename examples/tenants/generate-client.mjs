// By its path: it runs while npm installs, when packages may not be linked yet.
import { generatePrismaClient } from '../orders/generate-prisma-client.mjs'

generatePrismaClient(import.meta.url)
