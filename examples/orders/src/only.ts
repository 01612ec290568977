/** The row that a statement has written. */
export function only<Row>(rows: readonly Row[]): Row {
  const [row] = rows
  if (rows.length !== 1 || row === undefined) throw new Error(`one row was expected, and not ${rows.length}`)
  return row
}
