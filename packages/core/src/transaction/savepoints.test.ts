import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Savepoint, type SavepointOwner, Savepoints } from './savepoints.js'

/** Somebody who works in a transaction, for himself alone. */
function somebody(title: string): SavepointOwner {
  const owner: SavepointOwner = { title, owns: (other) => other === owner }
  return owner
}

const [one, other] = [somebody('one'), somebody('other')]

describe('the savepoints of a transaction', () => {
  it('have names of their own', () => {
    const savepoints = new Savepoints()
    const names = [one, other, one].map((owner) => savepoints.open(owner).name)
    expect(new Set(names).size).toBe(3)
  })

  it('tell whose work is undone along with their owner’s, open or already ended', () => {
    const savepoints = new Savepoints()
    const own = savepoints.open(one)
    savepoints.work(one)
    expect(savepoints.undo(own, true)).toBeUndefined()
    const foreign = savepoints.open(other)
    expect(savepoints.undo(own, true)).toBe(other)
    expect(savepoints.has(foreign)).toBe(false)
    savepoints.close(savepoints.open(other))
    expect(savepoints.undo(own, true)).toBe(other)
    savepoints.work(other)
    expect(savepoints.undo(own, false)).toBe(other)
  })

  it('do not hold against anybody what has been undone already', () => {
    const savepoints = new Savepoints()
    const own = savepoints.open(one)
    const foreign = savepoints.open(other)
    savepoints.work(other)
    savepoints.undo(foreign, false)
    expect(savepoints.undo(own, false)).toBeUndefined()
  })

  it('never let work be undone unseen, whatever the order of what many do', () => {
    const people = ['a', 'b', 'c'].map(somebody)
    const step = fc.record({
      who: fc.nat(2),
      does: fc.constantFrom<'open' | 'work' | 'close' | 'undo'>('open', 'work', 'close', 'undo'),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const savepoints = new Savepoints()
        // What the server has: each piece of work, with its author and the savepoints in which it lies.
        let work: Array<{ readonly who: SavepointOwner; readonly inside: readonly string[] }> = []
        let stack: string[] = []
        const open = new Map<SavepointOwner, Savepoint[]>(people.map((who) => [who, []]))
        for (const { who: index, does } of steps) {
          const who = people[index] ?? one
          const own = open.get(who) ?? []
          const last = own.at(-1)
          if (does === 'open') {
            own.push(savepoints.open(who))
            stack.push(own.at(-1)?.name ?? '')
          } else if (does === 'work') {
            savepoints.work(who)
            work.push({ who, inside: [...stack] })
          } else if (last === undefined || !savepoints.has(last)) own.pop()
          else if (does === 'close') {
            // Only what is on top is released on the server; the others stay there.
            if (savepoints.isOnTop(last)) stack = stack.slice(0, stack.indexOf(last.name))
            savepoints.close(last)
            own.pop()
          } else {
            const lost = work.filter(({ inside }) => inside.includes(last.name))
            const stranger = savepoints.undo(last, false)
            if (lost.some((piece) => piece.who !== who)) expect(stranger).toBeDefined()
            work = work.filter((piece) => !lost.includes(piece))
            stack = stack.slice(0, stack.indexOf(last.name))
            own.pop()
          }
        }
      }),
      { numRuns: 2_000 },
    )
  })
})
