/**
 * The text without a comment before it and one behind it: tracers that tell the server of their trace add one on a
 * statement's way from its handle to the wire, where it has to be known again.
 *
 * Meant for comparing. Only what is certain to be a comment is taken off.
 */
export function withoutCommentsAround(text: string): string {
  return withoutLast(withoutFirst(text)).trim()
}

function withoutFirst(text: string): string {
  if (!text.startsWith('/*')) return text
  const end = text.indexOf('*/', 2)
  const inner = text.indexOf('/*', 2)
  // Comments nest.
  return end < 0 || (inner >= 0 && inner < end) ? text : text.slice(end + 2)
}

function withoutLast(text: string): string {
  if (!text.endsWith('*/')) return text
  const start = text.lastIndexOf('/*')
  const comment = text.slice(start)
  // On several lines it may have begun behind the dashes of another.
  const isOne = start >= 0 && comment.indexOf('*/', 2) === comment.length - 2 && !comment.includes('\n')
  return isOne ? text.slice(0, start) : text
}
