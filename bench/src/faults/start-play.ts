import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Played } from './played.js'

/** All troubles for one contestant, in a process of its own. */
export async function startPlay(contestant: string): Promise<readonly Played[]> {
  // From the sources, with tsx: testkit is never built.
  const script = fileURLToPath(new URL('../../src/faults/play.ts', import.meta.url))
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), script, contestant], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const played: Played[] = []
  for await (const line of createInterface({ input: child.stdout })) played.push(JSON.parse(line) as Played)
  return played
}
