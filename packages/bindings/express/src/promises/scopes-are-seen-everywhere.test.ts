import { EventEmitter, once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { currentScope, runInScope } from '@leasehold/core'
import { Gate } from '@leasehold/testkit'
import type { RequestHandler } from 'express'
import multer from 'multer'
import { describe, expect, it, vi } from 'vitest'
import { handle, useService } from './use-service.js'
import { versions } from './versions.js'

const here = (): string => currentScope()?.label ?? 'outside'

describe.each(versions)('on %s the scope of a request', (_, express) => {
  const service = useService(express)

  it('is the current one in every later middleware, in handlers and error handlers, and in what they await', async () => {
    const seen: string[] = []
    await service.start(
      (app) => {
        app.use(
          handle(async (_req, _res, next) => {
            await nextTurn()
            seen.push(here())
            next()
          }),
        )
        app.get(
          '/orders/:id',
          handle(async () => {
            await nextTurn()
            seen.push(here())
            throw new Error('of the handler')
          }),
        )
        app.use((_error: unknown, _req: unknown, res: { end(text: string): void }, _next: unknown) => {
          seen.push(here())
          res.end('sorry')
        })
      },
      { before: (app) => app.use((_req, _res, next) => (seen.push(here()), next())) },
    )

    expect((await service.get('/orders/7')).body).toBe('sorry')

    expect(seen).toEqual(['outside', 'GET (no route)', 'GET /orders/:id', 'GET /orders/:id'])
    await service.allIsBack(1)
  })

  /** Each reads a body that comes in two parts, the second when the handlers have long been asked for. */
  const parsers: ReadonlyArray<readonly [string, () => RequestHandler, string]> = [
    ['express.json', () => express.json({ type: () => true }), '{"one":1,'],
    ['express.text', () => express.text({ type: () => true }), '{"one":1,'],
    ['express.urlencoded', () => express.urlencoded({ extended: false, type: () => true }), '{"one":1,'],
    [
      'a parser that listens to the request itself',
      () => (req, _res, next) => {
        req.on('data', () => {})
        req.on('end', next)
      },
      '{"one":1,',
    ],
  ]

  it.each(parsers)('is kept through the reading of a body by %s', async (_name, parser, half) => {
    await service.start((app) => app.post('/', parser(), (_req, res) => void res.send(here())))
    const socket = service.connect()
    socket.write(`POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-length: 17\r\n\r\n${half}`)
    while (service.scopes.length === 0) await once(service.server, 'request')
    await nextTurn()

    socket.write('"two":2')
    socket.write('}')
    const answer = await textOf(socket)

    expect(answer).toContain('200 OK')
    expect(answer).toMatch(/POST \/$/)
  })

  it('is kept through the reading of an upload by multer', async () => {
    await service.start((app) =>
      app.post('/', multer().single('file'), (req, res) => void res.send(`${req.file?.size} bytes in ${here()}`)),
    )
    const head = '--x\r\ncontent-disposition: form-data; name="file"; filename="a.txt"\r\n\r\n'
    const socket = service.connect()
    socket.write(
      `POST / HTTP/1.1\r\nhost: here\r\nconnection: close\r\ncontent-type: multipart/form-data; boundary=x\r\n` +
        `content-length: ${head.length + 14}\r\n\r\n${head}`,
    )
    while (service.scopes.length === 0) await once(service.server, 'request')
    await nextTurn()

    socket.write('12345')
    await nextTurn()
    socket.write('\r\n--x--\r\n')

    expect(await textOf(socket)).toMatch(/5 bytes in POST \/$/)
  })

  /** Each page is a query of its own, made when the page before has gone. */
  async function* pages(seen: string[]): AsyncGenerator<string> {
    for (let page = 0; page < 32; page += 1) {
      await service.pool.use((client) => client.query('select'))
      seen.push(here())
      yield 'x'.repeat(65_536)
    }
  }

  it('is kept by a source that is piped into the answer and reads on when there is room', async () => {
    const seen: string[] = []
    await service.start((app) =>
      app.get(
        '/',
        handle(async (_req, res) => pipeline(Readable.from(pages(seen), { highWaterMark: 1 }), res)),
      ),
    )

    expect((await service.get('/')).body).toHaveLength(32 * 65_536)

    expect(new Set(seen)).toEqual(new Set(['GET /']))
    await service.allIsBack(1)
  })

  it('is kept by such a source that had to wait for the answer to the request before it in the pipe', async () => {
    const seen: string[] = []
    const first = new Gate()
    await service.start((app) => {
      app.get(
        '/first',
        handle(async (_req, res) => {
          await first.promise
          res.end('done')
        }),
      )
      app.get(
        '/second',
        handle(async (_req, res) => pipeline(Readable.from(pages(seen), { highWaterMark: 1 }), res)),
      )
    })
    const socket = service.connect()
    socket.write(['first', 'second'].map((path) => `GET /${path} HTTP/1.1\r\nhost: here\r\n\r\n`).join(''))
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(0))
    await nextTurn()
    socket.resume()

    first.open()

    await service.allIsBack(2)
    expect(seen).toHaveLength(32)
    expect(new Set(seen)).toEqual(new Set(['GET /second']))
  })

  it('is lost by a middleware that goes on in an event of nobody, and entered again where it is mounted again', async () => {
    const elsewhere = new EventEmitter()
    const seen: string[] = []
    await service.start((app) => {
      app.use((_req, _res, next) => void elsewhere.once('turn', () => next()))
      app.use((_req, _res, next) => (seen.push(here()), next()))
      app.use(service.leases)
      app.get('/', (req, res) => void res.send(`${here()} ${currentScope() === req.leasehold.scope}`))
    })
    const answer = service.get('/')
    while (elsewhere.listenerCount('turn') === 0) await once(service.server, 'request')

    elsewhere.emit('turn')

    expect((await answer).body).toBe('GET / true')
    expect(seen).toEqual(['outside'])
    await service.allIsBack(1)
  })

  it('is left for a scope that the handler opens, and returned to', async () => {
    await service.start((app) =>
      app.get(
        '/',
        handle(async (_req, res) => {
          const inner = await runInScope({ label: 'a job' }, async () => {
            await service.pool.acquire()
            return here()
          })
          res.json({ inner, lent: service.pool.snapshot().connections.lent, outer: here() })
        }),
      ),
    )

    expect(JSON.parse((await service.get('/')).body)).toEqual({ inner: 'a job', lent: 0, outer: 'GET /' })
  })

  it('is another for each request on one connection', async () => {
    await service.start((app) => app.get('/:number', (_req, res) => void res.send(here())))
    const socket = service.connect()
    socket.write(['1', '2', '3'].map((path) => `GET /${path} HTTP/1.1\r\nhost: here\r\n\r\n`).join(''))

    await service.allIsBack(3)

    expect(new Set(service.scopes).size).toBe(3)
  })
})

async function textOf(socket: NodeJS.ReadableStream): Promise<string> {
  const chunks: string[] = []
  for await (const chunk of socket) chunks.push(chunk.toString())
  return chunks.join('')
}
