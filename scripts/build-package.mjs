// Builds the package it is started in: `dist/esm` and `dist/cjs`, each with its declarations.
//
// Plain TypeScript instead of a bundler, for three reasons. Every source file stays a file of its own, so that stack
// traces, class names and the call sites that Leasehold reports are those of the sources. `declare module` blocks, which
// bindings need, survive: a declaration bundler drops them once nothing imports the file by name. And an import that
// package.json does not declare fails in the packaging test instead of being bundled silently.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const sourceFolder = resolve('src')
const esmFolder = resolve('dist/esm')
const cjsFolder = resolve('dist/cjs')
const settings = fileURLToPath(new URL('../tsconfig.build.json', import.meta.url))
const { name, exports: entryPoints } = JSON.parse(readFileSync('package.json', 'utf8'))

const options = {
  ...ts.parseJsonConfigFileContent({ extends: settings, files: [] }, ts.sys, process.cwd()).options,
  noEmit: false,
  noEmitOnError: true,
  declaration: true,
  rootDir: sourceFolder,
  outDir: esmFolder,
}

// Only what an entry point reaches is built, so tests and their fixtures stay out without a list of them.
const entries = Object.values(entryPoints)
  .filter((entry) => typeof entry === 'object')
  .map((entry) => entry.import.default.replace('./dist/esm/', `${sourceFolder}/`).replace(/\.js$/, '.ts'))

rmSync('dist', { recursive: true, force: true })
const program = ts.createProgram(entries, options)
const { diagnostics } = program.emit(undefined, (file, text) => {
  write(file, text)
  // The declarations are the same for both: what differs, the meaning of `import`, is told by the package.json above.
  if (file.endsWith('.d.ts')) write(join(cjsFolder, relative(esmFolder, file)), text)
})
const faults = ts.sortAndDeduplicateDiagnostics([...ts.getPreEmitDiagnostics(program), ...diagnostics])
if (faults.length > 0) {
  rmSync('dist', { recursive: true, force: true })
  const host = {
    getCanonicalFileName: (/** @type {string} */ file) => file,
    getCurrentDirectory: () => process.cwd(),
    getNewLine: () => '\n',
  }
  console.error(`${name} does not build:\n${ts.formatDiagnosticsWithColorAndContext(faults, host)}`)
  process.exit(1)
}

// CommonJS differs in nothing but the module syntax, so it is not checked a second time.
for (const source of program.getSourceFiles()) {
  if (source.isDeclarationFile || !source.fileName.startsWith(sourceFolder)) continue
  const { outputText } = ts.transpileModule(source.text, {
    fileName: source.fileName,
    compilerOptions: {
      target: options.target ?? ts.ScriptTarget.ES2022,
      module: ts.ModuleKind.CommonJS,
      esModuleInterop: true,
    },
  })
  write(join(cjsFolder, relative(sourceFolder, source.fileName).replace(/\.ts$/, '.js')), outputText)
}
write(join(cjsFolder, 'package.json'), `${JSON.stringify({ type: 'commonjs', sideEffects: false })}\n`)

/** @param {string} file @param {string} text */
function write(file, text) {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}
