import type { FastifyPluginAsync } from 'fastify'
import type { Notes } from './notes.js'

const byId = { type: 'object', required: ['id'], properties: { id: { type: 'integer' } } } as const
const newNote = {
  type: 'object',
  required: ['text'],
  properties: { text: { type: 'string', minLength: 1 } },
  additionalProperties: false,
} as const

export const notesRoutes: FastifyPluginAsync<{ readonly notes: Notes }> = async (app, { notes }) => {
  app.get('/notes', () => notes.all())

  app.get<{ Params: { id: number } }>('/notes/:id', { schema: { params: byId } }, async ({ params }, reply) => {
    return (await notes.one(params.id)) ?? reply.callNotFound()
  })

  app.post<{ Body: { text: string } }>('/notes', { schema: { body: newNote } }, async ({ body }, reply) =>
    reply.code(201).send(await notes.write(body.text)),
  )
}
