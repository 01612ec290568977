export { describeNpmStart } from './describe-npm-start.js'
export { describeService } from './describe-service.js'
