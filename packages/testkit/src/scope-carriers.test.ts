import { asyncLocalCarrier } from '@leasehold/core'
import { describeScopeCarrierContract } from './contracts/index.js'

describeScopeCarrierContract('AsyncLocalStorage', () => asyncLocalCarrier())
