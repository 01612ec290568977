import { grouped, groupedOrFalse } from './grouped-options.js'
import { milliseconds, type OptionRule, share, wholeNumberOrNoLimit } from './option-rules.js'
import type { QueueDelayOptions, UtilizationOptions, WaitingByPriority } from './overload-options.js'

const most = wholeNumberOrNoLimit(0)

export const waitingByPriorityRule: OptionRule = grouped<WaitingByPriority>({ high: most, normal: most, low: most })

export const queueDelayRule: OptionRule = groupedOrFalse<QueueDelayOptions>({
  targetMs: milliseconds(1),
  intervalMs: milliseconds(1),
})

export const utilizationRule: OptionRule = groupedOrFalse<UtilizationOptions>({
  above: {
    expected: 'a number from 0 on, below 1',
    accepts: (value) => share.accepts(value) && value !== 1,
  },
  forMs: milliseconds(1),
})
