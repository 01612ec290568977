import { EventEmitter, once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ScopeCarrier } from '@leasehold/core'
import { describe, expect, it } from 'vitest'

/** What carries a context must carry it through everything asynchronous that Node offers, and into nobody else's work. */
export function describeScopeCarrierContract(name: string, make: () => ScopeCarrier<object>): void {
  describe(`${name}, as a carrier of scopes`, () => {
    const carrier = make()
    const context = { of: 'this request' }
    const another = { of: 'another request' }
    const here = (): object | undefined => carrier.current()

    it('has no context outside all', () => {
      expect(here()).toBeUndefined()
    })

    it('shows the very object inside, and nothing afterwards', () => {
      carrier.run(context, () => expect(here()).toBe(context))

      expect(here()).toBeUndefined()
    })

    it('returns what the work returns, promises untouched', async () => {
      const promise = Promise.resolve(5)

      expect(carrier.run(context, () => 'result')).toBe('result')
      expect(carrier.run(context, () => promise)).toBe(promise)
      await promise
    })

    it('throws what the work throws, and leaves the context', () => {
      const error = new Error('of the work')

      expect(() =>
        carrier.run(context, () => {
          throw error
        }),
      ).toThrow(error)
      expect(here()).toBeUndefined()
    })

    it('nests, and returns to the outer context, also after an error', () => {
      carrier.run(context, () => {
        carrier.run(another, () => expect(here()).toBe(another))
        expect(here()).toBe(context)
        expect(() =>
          carrier.run(another, () => {
            throw new Error('of the inner work')
          }),
        ).toThrow('of the inner work')
        expect(here()).toBe(context)
      })
    })

    it('leaves every context for undefined, and what starts there stays outside', async () => {
      await carrier.run(context, async () => {
        const outside = carrier.run(undefined, async () => {
          expect(here()).toBeUndefined()
          await Promise.resolve()
          return here()
        })
        expect(here()).toBe(context)
        expect(await outside).toBeUndefined()
        expect(here()).toBe(context)
      })
    })

    it('keeps two flows apart that take turns', async () => {
      const flow = async (own: object): Promise<readonly (object | undefined)[]> =>
        carrier.run(own, async () => {
          const seen = [here()]
          for (let turn = 0; turn < 3; turn += 1) {
            await new Promise(setImmediate)
            seen.push(here())
          }
          return seen
        })

      const [first, second] = await Promise.all([flow(context), flow(another)])

      expect(new Set(first)).toEqual(new Set([context]))
      expect(new Set(second)).toEqual(new Set([another]))
    })

    it.each<[string, () => Promise<object | undefined>]>([
      ['await', async () => (await Promise.resolve(), here())],
      ['then', () => Promise.resolve().then(here)],
      [
        'catch and finally',
        () =>
          Promise.reject(new Error('expected'))
            .catch(() => {})
            .finally(() => {})
            .then(here),
      ],
      ['Promise.all', async () => (await Promise.all([Promise.resolve(1), new Promise(setImmediate)]), here())],
      ['queueMicrotask', () => new Promise((resolve) => queueMicrotask(() => resolve(here())))],
      ['process.nextTick', () => new Promise((resolve) => process.nextTick(() => resolve(here())))],
      ['setImmediate', () => new Promise((resolve) => setImmediate(() => resolve(here())))],
      ['setTimeout', () => new Promise((resolve) => setTimeout(() => resolve(here()), 0))],
      [
        'setInterval',
        () =>
          new Promise((resolve) => {
            const interval = setInterval(() => {
              clearInterval(interval)
              resolve(here())
            }, 1)
          }),
      ],
      ['a lazy thenable', async () => ({ then: (resolve: (seen: object | undefined) => void) => resolve(here()) })],
      [
        'an async generator',
        async () => {
          async function* numbers(): AsyncGenerator<object | undefined> {
            await Promise.resolve()
            yield here()
          }
          for await (const seen of numbers()) return seen
          return undefined
        },
      ],
      [
        'a stream that is read',
        async () => {
          const seen: (object | undefined)[] = []
          await pipeline(Readable.from(['a', 'b']), async (source) => {
            for await (const chunk of source) seen.push(chunk === '' ? undefined : here())
          })
          return seen.every((each) => each === here()) ? here() : undefined
        },
      ],
      [
        'an event that is waited for',
        async () => {
          const emitter = new EventEmitter()
          setImmediate(() => emitter.emit('done'))
          await once(emitter, 'done')
          return here()
        },
      ],
    ])('follows %s', async (_, flow) => {
      expect(await carrier.run(context, flow)).toBe(context)
      expect(await carrier.run(another, flow)).toBe(another)
      expect(here()).toBeUndefined()
    })

    it('binds a callback to the context in which it was bound, whoever calls it', () => {
      const bound = carrier.run(context, () => carrier.bind(here))

      expect(bound()).toBe(context)
      expect(carrier.run(another, bound)).toBe(context)
      expect(carrier.run(another, () => (bound(), here()))).toBe(another)
    })

    it('binds a callback outside all contexts to none', () => {
      const bound = carrier.bind(here)

      expect(carrier.run(context, bound)).toBeUndefined()
      expect(carrier.run(context, () => carrier.run(undefined, () => carrier.bind(here)))()).toBeUndefined()
    })

    it('binds a callback with its arguments, its result, its error and its this', () => {
      const bound = carrier.bind(function (this: { factor: number }, a: number, b: number): number {
        if (a < 0) throw new RangeError('negative')
        return (a + b) * this.factor
      })

      expect(bound.call({ factor: 10 }, 1, 2)).toBe(30)
      expect(() => bound.call({ factor: 10 }, -1, 2)).toThrow(RangeError)
    })

    it('binds a listener, so that an emitter calls it in the listener’s context and not in its own', () => {
      const emitter = new EventEmitter()
      const seen: (object | undefined)[] = []
      carrier.run(context, () => {
        emitter.on(
          'row',
          carrier.bind(() => seen.push(here())),
        )
      })

      carrier.run(another, () => emitter.emit('row'))
      emitter.emit('row')

      expect(seen).toEqual([context, context])
    })
  })
}
