import { checked } from '@leasehold/example-orders'
import type { PipeTransform } from '@nestjs/common'

/** The schemas of `input`. */
type Schema<Input> = Parameters<typeof checked<Input>>[0]

/** A pipe that refuses what does not match a schema: `@Body(matching(input.order)) order: NewOrder`. */
export function matching<Input>(schema: Schema<Input>): PipeTransform<unknown, Input> {
  return { transform: (given) => checked(schema, given) }
}
