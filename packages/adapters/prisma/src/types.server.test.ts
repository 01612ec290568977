import { cp, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { generateClient } from './testing/generate-client.js'

/**
 * The types of a generated client exist only after it has been generated, so the compiler is asked here and not by
 * `npm run typecheck`: it must find nothing wrong in `testing/inference.ts.txt`, whose every line marked with
 * `@ts-expect-error` must be wrong.
 */
test('Prisma’s inference survives leasePrisma (Prisma 7)', async () => {
  const file = join(dirname(await generateClient()), `inference-${process.pid}.ts`)
  await cp(fileURLToPath(new URL('./testing/inference.ts.txt', import.meta.url)), file)
  const settings = fileURLToPath(new URL('../../../../tsconfig.json', import.meta.url))
  const { options } = ts.getParsedCommandLineOfConfigFile(
    settings,
    { allowImportingTsExtensions: true },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic() {},
    },
  ) ?? { options: {} }
  const program = ts.createProgram([file], options)
  await rm(file)
  const source = program.getSourceFile(file)
  const faults = [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)]
  const told = faults.map(({ start = 0, messageText }) => {
    const line = source?.text.slice(source.text.lastIndexOf('\n', start) + 1).split('\n', 1)[0]
    return `${line}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`
  })
  expect(source?.text).toContain('leasePrisma')
  expect(told).toEqual([])
}, 60_000)
