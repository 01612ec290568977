import express5 from 'express'
import express4 from 'express4'

/** An Express of one version, as far as tests of both need to know it. */
export type ExpressOf = typeof express5

/** Every version that this package is for. */
export const versions: ReadonlyArray<readonly [string, ExpressOf]> = [
  ['Express 5', express5],
  // The types of 4 have an own Request and Response, of which ours ask nothing that differs.
  ['Express 4', express4 as unknown as ExpressOf],
]
