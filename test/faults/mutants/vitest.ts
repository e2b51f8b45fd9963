// biome-ignore lint/performance/noBarrelFile: the module stands in for the test framework
export { expect } from '../../../node_modules/vitest/dist/index.js'
export { afterAll, afterEach, beforeAll, beforeEach, describe, test } from './scenarios.ts'
/** Only asked by parts that are not used here. */
export const inject = (): undefined => undefined
