import { tokenAt } from './token-at.js'

/** Most statements hold neither word, and are read no further. */
const MAYBE = /\b(?:begin|start)\b/i

/** Whether one of the statements of `sql` opens a transaction: BEGIN or START TRANSACTION. */
export function beginsTransaction(sql: string | undefined): boolean {
  if (sql === undefined || !MAYBE.test(sql)) return false
  let isFirst = true
  let isAfterStart = false
  for (let at = 0; at < sql.length;) {
    const { is, end } = tokenAt(sql, at)
    if (is !== 'space' && is !== 'comment') {
      const word = is === 'word' ? sql.slice(at, end).toLowerCase() : ''
      if (isFirst && word === 'begin') return true
      if (isAfterStart && word === 'transaction') return true
      isAfterStart = isFirst && word === 'start'
      isFirst = is === 'sign' && sql[at] === ';'
    }
    at = end
  }
  return false
}
