import { parseArgs } from 'node:util'

export interface Chosen {
  readonly names: readonly string[]
  readonly quick: boolean
  readonly cpuTime: boolean
  readonly prepared: boolean
}

/** Reads what was asked for. A wrong word ends the process with what could have been said, as does `--help`. */
export function readCommandLine(known: readonly string[]): Chosen {
  const usage = [
    'npm run bench -- [--only <name>]… [--quick] [--prepared] [--cpu-time]',
    '',
    `  --only      one of: ${known.join(', ')}; may be given more than once`,
    '  --quick     fewer rounds',
    '  --prepared  our pools with `preparedStatements: true`',
    "  --cpu-time  the processor's time instead of the wall's",
  ].join('\n')
  const end = (status: number, text: string): never => {
    ;(status === 0 ? console.log : console.error)(text)
    process.exit(status)
  }
  const asked = parsed((why) => end(2, `${why}\n\n${usage}`))
  if (asked.help) end(0, usage)
  const names = asked.only ?? known
  const unknown = names.find((name) => !known.includes(name))
  if (unknown !== undefined) end(2, `there is no benchmark "${unknown}"\n\n${usage}`)
  return { names, quick: asked.quick, cpuTime: asked['cpu-time'], prepared: asked.prepared }
}

function parsed(refuse: (why: string) => never) {
  try {
    return parseArgs({
      options: {
        quick: { type: 'boolean', default: false },
        'cpu-time': { type: 'boolean', default: false },
        only: { type: 'string', multiple: true },
        prepared: { type: 'boolean', default: false },
        help: { type: 'boolean', default: false },
      },
    }).values
  } catch (error) {
    return refuse((error as Error).message)
  }
}
