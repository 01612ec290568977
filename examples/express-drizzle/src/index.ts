export { openDrizzleStore } from './open-drizzle-store.js'
export { startOnExpress } from './start-on-express.js'
