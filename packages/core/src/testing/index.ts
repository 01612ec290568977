export { expectNoLeaks, type ExpectNoLeaksOptions, type LeakingPool, type LeakSource } from './expect-no-leaks.js'
