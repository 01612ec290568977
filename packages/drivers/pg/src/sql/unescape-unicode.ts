/** The text that the inside of `U&'…'` or `U&"…"` stands for; `escape` is what `UESCAPE` names, a backslash if nothing. */
export function unescapeUnicode(inside: string, escape: string): string {
  const parts = inside.split(escape)
  let text = parts[0] ?? ''
  for (let at = 1; at < parts.length; at += 1) {
    const part = parts[at] ?? ''
    const [escaped, short, long] = /^(?:([\da-fA-F]{4})|\+([\da-fA-F]{6}))/.exec(part) ?? ['']
    const code = Number.parseInt(short ?? long ?? '', 16)
    if (code <= 0x10_ff_ff) text += String.fromCodePoint(code) + part.slice(escaped.length)
    // A doubled escape stands for itself, and leaves an empty part.
    else if (part === '') text += escape + (parts[(at += 1)] ?? '')
    else text += part
  }
  return text
}
