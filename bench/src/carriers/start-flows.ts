import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** What the requests of a service run in. */
export type ServiceContexts =
  | 'no context'
  | 'scopes in AsyncLocalStorage'
  | 'a namespace'
  | 'a namespace, and scopes in AsyncLocalStorage'
  | 'scopes in the namespace'

/** What each of the requests does, twenty times. */
export type Workload = 'awaits' | 'leases' | 'callbacks'

export interface FlowsQuestion {
  readonly workload: Workload
  readonly requests: number
  readonly time: 'wall' | 'cpu'
}

export interface FlowsAnswer {
  /** Of one request. */
  readonly nanoseconds: number
}

export interface Flows {
  run(question: FlowsQuestion): Promise<FlowsAnswer>
  stop(): Promise<void>
}

/** A service of this kind, in a process of its own. */
export function startFlows(kind: ServiceContexts): Flows {
  const child = fork(fileURLToPath(new URL('flows.js', import.meta.url)), [kind], { execArgv: [] })
  const ended = once(child, 'exit')
  return {
    async run(question) {
      const answered = once(child, 'message')
      child.send(question)
      const failed = ended.then(() => {
        throw new Error(`the service with ${kind} ended`)
      })
      const [answer] = (await Promise.race([answered, failed])) as [FlowsAnswer]
      return answer
    },
    async stop() {
      child.disconnect()
      await ended
    },
  }
}
