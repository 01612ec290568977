export { type Answer, ServiceOnFakes } from './service-on-fakes.js'
