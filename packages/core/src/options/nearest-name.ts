/**
 * The one of `known` that somebody who wrote `name` probably meant; undefined when none is near. Upper and lower case
 * do not count, and a third of the letters may be wrong: `idleTimeoutMillis` is still near to `idleTimeoutMs`. Two
 * neighbours that have changed places are one mistake: `lable`.
 */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  const wanted = name.toLowerCase()
  let nearest: string | undefined
  let least = Math.max(1, Math.floor(wanted.length / 3)) + 1
  for (const candidate of known) {
    const distance = distanceBetween(wanted, candidate.toLowerCase())
    if (distance < least) {
      nearest = candidate
      least = distance
    }
  }
  return nearest
}

/** How many letters must be put in, taken out or changed, or change places with their neighbours, to make one word of the other. */
function distanceBetween(from: string, to: string): number {
  let beforeThat: readonly number[] = []
  let previous = Array.from({ length: to.length + 1 }, (_, column) => column)
  for (let row = 1; row <= from.length; row += 1) {
    const current = [row]
    for (let column = 1; column <= to.length; column += 1) {
      const changed = (previous[column - 1] ?? 0) + (from[row - 1] === to[column - 1] ? 0 : 1)
      const takenOut = (previous[column] ?? 0) + 1
      const putIn = (current[column - 1] ?? 0) + 1
      const isSwap = from[row - 1] === to[column - 2] && from[row - 2] === to[column - 1]
      const swapped = isSwap ? (beforeThat[column - 2] ?? Infinity) + 1 : Infinity
      current.push(Math.min(changed, takenOut, putIn, swapped))
    }
    beforeThat = previous
    previous = current
  }
  return previous[to.length] ?? 0
}
