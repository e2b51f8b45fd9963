import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { scenarioSchema } from '../../bot/api/drills.ts'
import { listOf } from '../../bot/api/lists.ts'
import { distribution, type Figure } from '../report.ts'
import type { BenchOptions } from '../run.ts'
import { alertToCard } from './alert-to-card.ts'
import { type Round, runRound } from './drill-rounds.ts'
import { type PersonAt, signIn } from './person.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const DEFAULT_ROUNDS = 1
const ALERTS = 30
/** Until the process has nothing left to do after a start or an alert. */
const SETTLE_MS = 5_000

/** The whole loop as people meet it: a server process of its own with PGlite, its local target, alerts by webhook, clicks over HTTP. */
export async function run({ rounds, out, only }: BenchOptions): Promise<readonly Figure[]> {
  const dataDir = mkdtempSync(join(tmpdir(), 'steadyhand-bench-'))
  const opened: ServerProcess[] = []
  const open = async (): Promise<ServerProcess> => {
    const server = await startServer(dataDir)
    opened.push(server)
    return server
  }
  try {
    const first = await open()
    const stopMs = await first.stop()
    const second = await open()
    await pause(SETTLE_MS)
    const memory = second.memoryMb()
    const alice = await signIn(second.url, 'alice')
    const cards = await alertToCard(second.url, alice, 'bench', ALERTS)
    if (out !== null) writeFileSync(out, '')
    const done = await everyScenario(alice, { rounds: rounds ?? DEFAULT_ROUNDS, only }, (round) => {
      process.stderr.write(
        `${round.passed ? 'passed' : 'FAILED'} ${round.name} (${(round.totalMs / 1_000).toFixed(0)} s): ${round.words}\n`,
      )
      if (out !== null) appendFileSync(out, `${JSON.stringify(round)}\n`)
    })
    return [
      one('first start → ready', 'ms', first.readyMs),
      one('second start → ready', 'ms', second.readyMs),
      one('SIGTERM → ended', 'ms', stopMs),
      ...(memory === null ? [] : [one('idle memory of the main process (second start)', 'MB', memory)]),
      distribution('alert → card, idle', 'ms', cards),
      ...ofRounds(done),
    ]
  } finally {
    for (const server of opened) await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

async function everyScenario(
  person: PersonAt,
  { rounds, only }: { rounds: number; only: readonly string[] | null },
  onRound: (round: Round) => void,
): Promise<Round[]> {
  const { items } = await person.get('/api/v1/drills', listOf(scenarioSchema))
  const known = items.map(({ name }) => name)
  const unknown = only?.filter((name) => !known.includes(name)) ?? []
  if (unknown.length > 0) throw new Error(`there is no drill ${unknown.join(', ')}; there are ${known.join(', ')}`)
  const done: Round[] = []
  for (let number = 0; number < rounds; number += 1)
    for (const name of only ?? known) {
      const round = await runRound(person, name)
      onRound(round)
      done.push(round)
    }
  return done
}

function ofRounds(done: readonly Round[]): Figure[] {
  const names = [...new Set(done.map(({ name }) => name))]
  const samples = (pick: (round: Round) => number[]): number[] => done.flatMap(pick)
  const measured = (name: string, values: readonly number[]): Figure[] => (values.length === 0 ? [] : [distribution(name, 'ms', values)])
  return [
    ...measured(
      'click → authorised (HTTP)',
      samples((round) => round.clickToAuthorised),
    ),
    ...measured(
      'claim → sent',
      samples((round) => round.claimToSent),
    ),
    ...measured(
      'click → sent',
      samples((round) => round.clickToSent),
    ),
    ...names.map((name) => {
      const own = done.filter((round) => round.name === name)
      return { name: `drill ${name} passed`, value: own.filter(({ passed }) => passed).length, unit: `of ${own.length}`, n: own.length }
    }),
  ]
}

function one(name: string, unit: string, value: number): Figure {
  return { name, value, unit, n: 1 }
}
