import { table } from './table.js'

/** What is to be reached, and what was. */
export interface Target {
  readonly what: string
  readonly bound: 'at most' | 'at least'
  readonly target: number
  readonly measured: number
}

export function isMet({ bound, target, measured }: Target): boolean {
  return bound === 'at most' ? measured <= target : measured >= target
}

export function targetTable(targets: readonly Target[]): string {
  return table(
    ['target', 'to reach', 'measured', ''],
    targets.map((target) => [
      target.what,
      `${target.bound === 'at most' ? '≤' : '≥'} ${target.target}`,
      target.measured >= 10 ? target.measured.toFixed(0) : target.measured.toFixed(3),
      isMet(target) ? 'met' : 'MISSED',
    ]),
  )
}
