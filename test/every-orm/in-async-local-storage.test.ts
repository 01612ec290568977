import { describeJourneys } from './describe-journeys.js'

describeJourneys('AsyncLocalStorage')
