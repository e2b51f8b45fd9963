import { readFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { collectScenarios } from './collect.ts'
import { EQUIVALENT } from './equivalent.ts'

/**
 * Leaves each part of the kernel out in turn and runs its tests: `node test/faults/mutants/run.ts`, with `--only BEGINNING` or `--names FILE` for some
 * mutants, `--part I/N` and `--every N` for a share of them, `--files PREFIX` and `--most N` for some tests, `--list` for the names alone.
 * Prints a line for each mutant; ends with 1 when one survived without a reason, or a reason is not needed.
 */
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    part: { type: 'string', default: '1/1' },
    every: { type: 'string', default: '1' },
    most: { type: 'string', default: '1000000' },
    files: { type: 'string', default: '' },
    names: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
  },
})
const [part = 1, parts = 1] = values.part.split('/').map(Number)
const every = Number(values.every)
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const scenarios = await collectScenarios(values.files)
// Their own tests are collected with them, so they are loaded only now.
const { createKiller } = await import('./kill.ts')
const { generateMutants } = await import('./generate.ts')
const killer = await createKiller(values.list ? [] : scenarios, Number(values.most), say)
const generated = await generateMutants(killer.db)
const listed = values.names === '' ? null : new Set(readFileSync(values.names, 'utf8').split('\n'))
const chosen = generated
  .filter(({ name }) => name.startsWith(values.only) && (listed?.has(name) ?? true))
  .filter((_, index) => index % parts === part - 1 && Math.floor(index / parts) % every === 0)
say(`${generated.length} mutants, ${chosen.length} of them in this run`)
for (const words of killer.failing) say(`FAILS UNCHANGED ${words}`)
const survivors: string[] = []
const killed: string[] = []
for (const mutant of values.list ? [] : chosen) {
  const { killedBy, ms } = await killer.kill(mutant)
  say(
    `${killedBy === null ? 'SURVIVED' : 'killed'} ${mutant.name} (${(ms / 1_000).toFixed(1)} s${killedBy === null ? '' : `, by: ${killedBy}`})`,
  )
  ;(killedBy === null ? survivors : killed).push(mutant.name)
}
if (values.list) for (const { name } of chosen) say(name)
await killer.close()
const unexplained = survivors.filter((name) => EQUIVALENT[name] === undefined)
const names = new Set(generated.map(({ name }) => name))
const stale = Object.keys(EQUIVALENT).filter((name) => !names.has(name) || killed.includes(name))
for (const name of unexplained) say(`UNEXPLAINED ${name}`)
for (const name of stale) say(`NOT NEEDED ${name}`)
say(
  `${killed.length} killed, ${survivors.length} survived, ${unexplained.length} of them unexplained, ${stale.length} explanations not needed`,
)
process.exitCode = killer.failing.length + unexplained.length + stale.length > 0 ? 1 : 0
