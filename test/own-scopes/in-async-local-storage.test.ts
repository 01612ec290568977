import { describeOwnScopes } from './describe-own-scopes.js'

describeOwnScopes('AsyncLocalStorage')
