const NO_NAME = 'a scope whose label function failed'

/**
 * The label of a scope whose user's function knows it. It may be asked in the midst of an error, or at a deadline, where
 * nobody could catch what it throws.
 */
export function askForLabel(label: () => unknown): string {
  try {
    const name = label()
    return typeof name === 'string' ? name : NO_NAME
  } catch {
    return NO_NAME
  }
}
