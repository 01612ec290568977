export { clsHookedCarrier } from './cls-hooked-carrier.js'
export type { ClsHookedNamespace } from './cls-hooked-namespace.js'
