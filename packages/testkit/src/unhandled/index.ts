export { refuseUnhandledErrors } from './refuse-unhandled-errors.js'
