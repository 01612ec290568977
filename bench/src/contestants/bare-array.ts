import { EQUAL_TERMS, type Contestant } from './contestant.js'
import { StubClient } from './stub-client.js'

/** The floor: an array of connections, an array of waiters, a promise. Nobody who awaits a connection pays less. */
export const bareArray: Contestant = {
  name: 'an array and a promise',
  open() {
    const idle = Array.from({ length: EQUAL_TERMS.max }, () => new StubClient())
    const waiting: Array<(client: StubClient) => void> = []
    return {
      acquire() {
        const client = idle.pop()
        if (client !== undefined) return Promise.resolve(client)
        return new Promise<StubClient>((resolve) => waiting.push(resolve))
      },
      release(client: StubClient) {
        const resolve = waiting.shift()
        if (resolve === undefined) idle.push(client)
        else resolve(client)
      },
      close: () => Promise.resolve(),
    }
  },
}
