import * as timers from 'node:timers'

/**
 * The turns of Node's event loop, as they were when this was loaded. A test that puts fakes in their place (Jest's, sinon's)
 * stops the time of its service; the answers of a connection that goes on come to it nevertheless.
 */
export const { nextTick } = process
export const { setImmediate } = timers
