/**
 * Awaits what is only begun when it is awaited, as queries of ORMs are, in the context of the code that calls. A promise as
 * it comes from an `async` function is on its way and is given back as it is: one more around it took a tenth of what `use` costs.
 */
export function awaitInside<R>(result: R | PromiseLike<R>): R | PromiseLike<R> {
  if (typeof result !== 'object' || result === null) return result
  return Object.getPrototypeOf(result) === Promise.prototype ? result : awaited(result)
}

async function awaited<R>(result: R | PromiseLike<R>): Promise<R> {
  return await result
}
