import { bindToContext, type LeaseGate } from '@leasehold/core'
import { setImmediate } from '../session/event-loop.js'
import { refusalOf } from '../session/refusal-of.js'

type Callback = (error: Error | null, rows?: unknown[]) => void
type Read = (rows: number, callback?: Callback) => Promise<unknown[]> | undefined

interface CursorLike {
  read?: Read
  close?: unknown
  pipe?: unknown
  cursor?: unknown
}

/**
 * Fences `cursor.read`: its callback runs in its caller's context, and after the lease it fails. The cursor itself would
 * say that there are no more rows, and who reads them would take half a result for the whole.
 */
export function fenceReads(submittable: object, gate: LeaseGate): void {
  const { cursor } = submittable as CursorLike
  const fenced = (typeof cursor === 'object' && cursor !== null ? cursor : submittable) as CursorLike
  // A stream has a `read` as well, of another kind.
  if (typeof fenced.read !== 'function' || typeof fenced.close !== 'function' || fenced.pipe !== undefined) return
  const read = fenced.read
  fenced.read = (rows, callback) => {
    const refusal = refusalOf(gate, 'read')
    if (callback === undefined) return refusal === undefined ? read.call(fenced, rows) : Promise.reject(refusal)
    const bound = bindToContext(callback)
    if (refusal === undefined) void read.call(fenced, rows, bound)
    else setImmediate(bound, refusal)
    return undefined
  }
}
