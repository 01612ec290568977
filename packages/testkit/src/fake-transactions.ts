import type { DriverTransactions, TransactionModes } from '@leasehold/core'
import type { FakeClient } from './fake-client.js'

const UNSAID: TransactionModes = { isolation: undefined, readOnly: undefined, deferrable: undefined }

/** The transactions of the fake driver, in the words of its statements. */
export function fakeTransactions(hasCollided: (client: FakeClient) => boolean): DriverTransactions<FakeClient> {
  const modes = new Map<number, TransactionModes>()
  const say = async (client: FakeClient, text: string): Promise<void> => void (await client.query(text))
  return {
    begin: async (client, wanted) => {
      await say(client, 'begin')
      modes.set(client.id, wanted)
    },
    commit: async (client) => ((await client.query('commit')).startsWith('commit') ? 'committed' : 'rolled back'),
    rollback: (client) => say(client, 'rollback'),
    savepoint: (client, name) => say(client, `savepoint ${name}`),
    rollbackTo: async (client, name) => {
      await Promise.all([say(client, `rollback-to ${name}`), say(client, `release ${name}`)])
    },
    release: (client, name) => say(client, `release ${name}`),
    modes: async (client) => modes.get(client.id) ?? UNSAID,
    mayRetry: hasCollided,
  }
}
