import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { COMPILER_SETTINGS } from './compiler-settings.js'
import { TypeScriptCompiler } from './typescript-compiler.js'
import { useInstallation } from './use-installation.js'

const { folder } = useInstallation()
const compiler = new TypeScriptCompiler()

// The declarations of Drizzle are not written for a check of libraries.
const SERVICES = {
  'from-typescript': {},
  'from-typescript-express': {},
  'from-typescript-drizzle': { skipLibCheck: true },
  // Terminus 12 is ESM only, so its declarations are refused to CommonJS where libraries are checked.
  'from-typescript-nestjs': { skipLibCheck: true, experimentalDecorators: true },
}

// Settings outside, services inside: what one service has read is there for the next.
describe.each([
  ['node16', 'mts'],
  ['node16', 'cts'],
  ['nodenext', 'mts'],
  ['nodenext', 'cts'],
  ['bundler', 'ts'],
  ['commonjs', 'ts'],
] as const)('%s, from a .%s file', (kind, extension) => {
  test.each(Object.entries(SERVICES))('%s', async (service, more) => {
    const file = join(folder, `${service}-${kind}.${extension}`)
    await copyFile(join(folder, `${service}.ts`), file)
    expect(compiler.faultsOf(file, { ...COMPILER_SETTINGS[kind], ...more }, folder)).toEqual([])
  })
})

test('what is wrong is found', async () => {
  const file = join(folder, 'wrong.mts')
  await writeFile(file, `import { createPool } from '@leasehold/core'\ncreatePool('no driver')\n`)
  expect(compiler.faultsOf(file, COMPILER_SETTINGS.node16, folder)).toEqual([
    expect.stringMatching(/wrong\.mts: Argument of type 'string' is not assignable/) as string,
  ])
})
