import { fork } from 'node:child_process'
import { once } from 'node:events'

/** A process of its own that is asked to run something, and answers with what it has measured. */
export interface AnsweringProcess<Question extends object, Answer> {
  run(question: Question): Promise<Answer>
  stop(): Promise<void>
}

export interface AnsweringProcessOptions {
  /** In DATABASE_URL. */
  readonly databaseUrl?: string
  readonly execArgv?: readonly string[]
}

/** Starts `script`. It ends when its parent disconnects. */
export function startAnsweringProcess<Question extends object, Answer>(
  script: string,
  args: readonly string[],
  { databaseUrl = '', execArgv = [] }: AnsweringProcessOptions,
): AnsweringProcess<Question, Answer> {
  const child = fork(script, args, {
    env: { ...process.env, DATABASE_URL: databaseUrl, NODE_ENV: 'production' },
    execArgv: [...execArgv],
  })
  const ended = once(child, 'exit')
  return {
    async run(question) {
      const answered = once(child, 'message')
      child.send(question)
      const failed = ended.then(() => {
        throw new Error(`the process of ${args.join(', ')} ended`)
      })
      const [answer] = (await Promise.race([answered, failed])) as [Answer]
      return answer
    },
    async stop() {
      child.disconnect()
      await ended
    },
  }
}
