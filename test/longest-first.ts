import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * Unit tests come first: they need no quiet machine. Where packaging is run with them (on every Node), the packages are
 * built and installed meanwhile, and its tests come after.
 */
const PROJECTS = ['unit', 'server', 'packaging', 'long']

/**
 * Files that take ten seconds or more. Each begins before the short ones of its project, so that none is still running
 * when everything else is done. Vitest knows how long files took only where it ran before; else it goes by their size.
 */
const LONG = [
  'packages/core/src/promises/cancellation-sweep.test.ts',
  'test/transactions/parallel-siblings.test.ts',
  'packages/drivers/pg/src/truth/the-ledger-is-true.server.test.ts',
  'test/leaks/every-kind-of-leak.test.ts',
  'test/transactions/every-pair-propagates.test.ts',
  'test/faults/a-sick-network-is-survived.test.ts',
  'test/faults/a-sick-server-is-survived.test.ts',
  'test/every-orm/in-async-local-storage.test.ts',
  'test/every-orm/in-a-cls-hooked-namespace.test.ts',
  'examples/demo/src/demo.server.test.ts',
  'packages/drivers/pg/src/truth/any-sequence.long.test.ts',
  'test/stress/random-faults.long.test.ts',
]

/** In which order files are run, whatever vitest remembers of them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const byProject = ({ project }: TestSpecification): number => PROJECTS.indexOf(project.name)
    const byLength = ({ moduleId }: TestSpecification): number => {
      const at = LONG.findIndex((path) => moduleId.endsWith(`/${path}`))
      return at === -1 ? LONG.length : at
    }
    const sorted = await super.sort(files)
    return sorted.toSorted((a, b) => byProject(a) - byProject(b) || byLength(a) - byLength(b))
  }
}
