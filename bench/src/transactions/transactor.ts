// One kind of transactions in a process of its own: `node transactor.js <name> <way>`, with the database in DATABASE_URL.
// Told by its parent how many to run, and by how many callers.
import { answerQueries } from '../orms/answer-queries.js'
import { TRANSACTORS, type TransactorName, type Way } from './transactors.js'

const ROWS_OF_ONE = 10

const [name, way] = process.argv.slice(2) as [TransactorName, Way]
const transact = await TRANSACTORS[name](way, process.env['DATABASE_URL'] ?? '')

await answerQueries({
  isOurs: way !== 'own',
  // Rows of its own, so that nobody waits for another one's lock.
  ask: (caller, number) => transact(1 + caller * ROWS_OF_ONE + (number % ROWS_OF_ONE)),
  ahead: 20,
  warmUp: 12_000,
})
