const strict = {
  target: 'es2022',
  // `Disposable` is among what the declarations speak of.
  lib: ['es2023', 'esnext.disposable'],
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
  noEmit: true,
}

/** The ways in which a service may be compiled. */
export const COMPILER_SETTINGS = {
  node16: { ...strict, module: 'node16', moduleResolution: 'node16' },
  nodenext: { ...strict, module: 'nodenext', moduleResolution: 'nodenext' },
  bundler: { ...strict, module: 'esnext', moduleResolution: 'bundler' },
  // As much of Nest is: no `exports`, and a default import only of what really has a default export. The declarations of
  // pino, which Fastify brings, are not written for that.
  commonjs: { ...strict, module: 'commonjs', moduleResolution: 'node10', esModuleInterop: false, skipLibCheck: true },
}
