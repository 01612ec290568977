import { Ajv, type JSONSchemaType } from 'ajv'
import { Refusal } from './refusal.js'

// As Fastify checks input: `"7"` in a path is a number, and what nobody asked for is dropped.
const ajv = new Ajv({ coerceTypes: 'array', useDefaults: true, removeAdditional: true })

/**
 * Input of a client, fit for use.
 *
 * @throws {Refusal} when it does not match `schema`.
 */
export function checked<Input>(schema: JSONSchemaType<Input>, given: unknown): Input {
  // Compiled once: ajv keeps what it has made of a schema.
  const fits = ajv.compile(schema)
  const value = structuredClone(given)
  if (fits(value)) return value
  throw new Refusal(400, 'BAD_INPUT', ajv.errorsText(fits.errors, { dataVar: 'input' }))
}
