/** A table for the terminal: the first column to the left, the others, numbers, to the right. */
export function table(columns: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  const widths = columns.map((column, at) => Math.max(column.length, ...rows.map((row) => row[at]?.length ?? 0)))
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, at) => (at === 0 ? cells[at]?.padEnd(width) : cells[at]?.padStart(width)))
      .join('   ')
      .trimEnd()
  return [line(columns), line(widths.map((width) => '─'.repeat(width))), ...rows.map(line)].join('\n')
}
