import { readdirSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { type Scenario, scenarios } from './scenarios.ts'

const KERNEL_TESTS = new URL('../../storage/kernel/', import.meta.url)
/** Races with connections of its own, and logins that belong to a whole server. */
const NOT_HERE = ['races.test.ts', 'process-roles.test.ts']
const HERE = new URL('./', import.meta.url)

/** Collects the tests of the kernel, to be run on one database: all, or those of the files whose name begins so. */
export async function collectScenarios(begins: string): Promise<Scenario[]> {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      if (specifier === 'vitest') return nextResolve(new URL('vitest.ts', HERE).href, context)
      if (specifier === './database.ts' && context.parentURL?.endsWith('/support/kernel.ts'))
        return nextResolve(new URL('one-database.ts', HERE).href, context)
      return nextResolve(specifier, context)
    },
  })
  const files = readdirSync(KERNEL_TESTS).filter((file) => file.endsWith('.test.ts') && file.startsWith(begins) && !NOT_HERE.includes(file))
  for (const file of files.sort()) await import(new URL(file, KERNEL_TESTS).href)
  return scenarios
}
