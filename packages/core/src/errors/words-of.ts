/** What was thrown says, in one line: an error of whatever realm (under Jest, Node's own are of another), or something else. */
export function wordsOf(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return String(thrown)
  const { message, errors, name } = thrown as { readonly message?: unknown; errors?: unknown; name?: unknown }
  if (typeof message === 'string' && message !== '') return message
  // Node's own for a host with several addresses (`localhost`) has no message, and one error for each of them.
  if (Array.isArray(errors) && errors.length > 0) return errors.map(wordsOf).join('; ')
  return typeof name === 'string' && name !== '' ? name : 'something was thrown that is no error'
}
