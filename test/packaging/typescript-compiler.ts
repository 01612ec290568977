import ts from 'typescript'

/**
 * Says what `tsc` would say. One after the other in one process, since most of a run of `tsc` is its own start and the
 * reading of declarations: a registry of documents, as editors have one, reads them once for all runs whose settings
 * read them alike.
 */
export class TypeScriptCompiler {
  readonly #documents = ts.createDocumentRegistry()

  /** The faults that are found in a file and in all that it imports, one line each. */
  faultsOf(file: string, settings: object, folder: string): readonly string[] {
    const { options, errors } = ts.convertCompilerOptionsFromJson(settings, folder)
    const service = ts.createLanguageService(
      {
        getCompilationSettings: () => options,
        getScriptFileNames: () => [file],
        getScriptVersion: () => 'the only one',
        getScriptSnapshot(name) {
          const text = ts.sys.readFile(name)
          return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text)
        },
        getCurrentDirectory: () => folder,
        getDefaultLibFileName: ts.getDefaultLibFilePath,
        fileExists: ts.sys.fileExists,
        readFile: ts.sys.readFile,
        directoryExists: ts.sys.directoryExists,
        getDirectories: ts.sys.getDirectories,
        ...(ts.sys.realpath && { realpath: ts.sys.realpath }),
      },
      this.#documents,
    )
    const program = service.getProgram()
    if (program?.getSourceFile(file) === undefined) throw new Error(`${file} was not compiled`)
    return [...errors, ...ts.getPreEmitDiagnostics(program)].map(
      ({ file: where, messageText }) =>
        `${where?.fileName ?? 'settings'}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    )
  }
}
