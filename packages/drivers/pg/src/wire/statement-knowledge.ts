import type { Site } from '@leasehold/core'
import type { FunctionCatalogue } from '../sql/function-catalogue.js'
import type { StatementReading } from '../sql/statement-reading.js'

/** What must be known to tell what a statement does. */
export interface StatementKnowledge {
  readonly read: (text: string) => StatementReading
  /** What the functions, tables and views of the database do to the session that uses them. */
  readonly catalogue: Pick<
    FunctionCatalogue,
    'effectsOf' | 'effectsOfRelation' | 'hasStatefulRelations' | 'isLoaded' | 'forget'
  >
  /** Where a text was sent from, if that was captured. */
  readonly siteOf: (text: string) => Site | undefined
  /** Whether a text was sent to make the session what every owner shall meet. */
  readonly isIntroduction: (text: string) => boolean
}
