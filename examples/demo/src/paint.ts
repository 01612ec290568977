import { styleText } from 'node:util'

type Colour = 'bold' | 'dim' | 'green' | 'yellow' | 'red' | 'cyan'

/** Puts text in a colour; or leaves it alone. */
export type Paint = (colour: Colour, text: string) => string

/** Colours are for people: none in files and pipes, and none where NO_COLOR is set (https://no-color.org). */
export function paintFor(stream: NodeJS.WriteStream): Paint {
  const wanted = stream.isTTY && !process.env['NO_COLOR'] && process.env['TERM'] !== 'dumb'
  return wanted ? (colour, text) => styleText(colour, text) : (_colour, text) => text
}
