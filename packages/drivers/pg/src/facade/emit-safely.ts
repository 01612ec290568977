import type { EventEmitter } from 'node:events'
import { nextTick } from '../session/event-loop.js'

/**
 * Emits to other people's listeners. What they throw is thrown where nothing of ours can break by it, and where Node
 * reports it as what it is: an uncaught exception.
 */
export function emitSafely(emitter: EventEmitter, event: string, ...args: unknown[]): void {
  try {
    emitter.emit(event, ...args)
  } catch (error) {
    nextTick(() => {
      throw error
    })
  }
}
