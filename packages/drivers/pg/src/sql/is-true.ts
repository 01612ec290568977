/** Whether the server takes a text for true: `true`, `on`, `yes`, `1`, and what they may be cut to. */
export function isTrue(text: string): boolean {
  const word = text.trim().toLowerCase()
  return word === '1' || word === 'on' || (word !== '' && ('true'.startsWith(word) || 'yes'.startsWith(word)))
}
