import { spawnSync } from 'node:child_process'
import { join } from 'node:path'

const root = join(import.meta.dirname, '..')
const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
const lane = join(root, 'test', 'run-lane.ts')

/**
 * Each step's name and the program, run by Node, that carries it out. The order is from the quickest to the slowest.
 * `npm run check` takes them all and stops at the first that fails; `npm run check -- lint types` takes those.
 */
const STEPS: readonly (readonly [name: string, program: string, ...args: string[]])[] = [
  ['format', biome, 'check', '--linter-enabled=false', '.'],
  ['lint', biome, 'lint', '--error-on-warnings', '.'],
  ['types', tsc, '--noEmit'],
  ['pages', tsc, '--noEmit', '-p', 'bot/console'],
  ['architecture', lane, 'unit', 'test/architecture'],
  ['tests', lane, 'unit'],
]

const names = STEPS.map(([name]) => name)
const asked = process.argv.slice(2)
const unknown = asked.filter((name) => !names.includes(name))
if (unknown.length > 0) {
  console.error(`check: there is no step ${unknown.join(', ')}; there are ${names.join(', ')}`)
  process.exit(2)
}

const steps = STEPS.filter(([name]) => asked.length === 0 || asked.includes(name))
for (const [name, ...command] of steps) {
  console.log(`── ${name}`)
  const { status } = spawnSync(process.execPath, command, { cwd: root, stdio: 'inherit' })
  if (status !== 0) {
    console.error(`check: ${name} failed`)
    process.exit(1)
  }
}
console.log(`check: ${steps.map(([name]) => name).join(', ')} passed`)
