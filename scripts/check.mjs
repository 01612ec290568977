// All that has to hold beside the tests, two at a time: `npm run check`, before each commit.
//
// Says what each took, and ends with the words of the first that fails; the others are stopped. `.ci/run` runs the same,
// one by one, and goes on after a failure.

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const AT_A_TIME = 2

// The longest first, so that no processor is idle at the end.
const waiting = ['build', 'lint', 'typecheck', 'unused', 'layers', 'format:check']
/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set()

for (let worker = 0; worker < AT_A_TIME; worker += 1) runNext()

function runNext() {
  const name = waiting.shift()
  if (name === undefined) return
  const began = Date.now()
  // A group of its own, since npm starts what does the work.
  const child = spawn('npm', ['run', '--silent', name], {
    cwd: root,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text))
  child.on('close', (code) => {
    running.delete(child)
    if (process.exitCode !== undefined) return
    console.log(`${code === 0 ? 'ok    ' : 'FAILED'} ${name} (${((Date.now() - began) / 1_000).toFixed(1)} s)`)
    if (code === 0) return runNext()
    process.exitCode = 1
    console.log(`\n${said.trim()}`)
    stopAll()
  })
}

function stopAll() {
  for (const { pid } of running) {
    try {
      if (pid !== undefined) process.kill(-pid)
    } catch {
      // It has just ended by itself.
    }
  }
}
process.on('SIGINT', () => {
  process.exitCode = 130
  stopAll()
})
