import { describe, expect, it } from 'vitest'
import { RetryBudget } from './retry-budget.js'

function spendAll(budget: RetryBudget, now: number): number {
  let spent = 0
  for (; budget.from(now) <= now && spent < 1_000; spent += 1) budget.spend(now)
  return spent
}

describe('the retry budget', () => {
  it('allows twenty at once and ten a second after that, whatever fails', () => {
    const budget = new RetryBudget()
    expect(spendAll(budget, 0)).toBe(20)
    expect(budget.from(0)).toBe(100)
    let spent = 0
    for (let now = 1; now <= 10_000; now += 1) spent += spendAll(budget, now)
    expect(spent).toBe(100)
  })

  it('allows one more for five connections opened, and saves no more than twenty', () => {
    const budget = new RetryBudget()
    spendAll(budget, 0)
    for (let opened = 0; opened < 15; opened += 1) budget.opened()
    expect(spendAll(budget, 0)).toBe(3)
    for (let opened = 0; opened < 1_000; opened += 1) budget.opened()
    expect(spendAll(budget, 0)).toBe(20)
    expect(spendAll(budget, 1_000_000)).toBe(20)
  })
})
