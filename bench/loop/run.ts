import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { scenarioSchema } from '../../bot/api/drills.ts'
import { listOf } from '../../bot/api/lists.ts'
import { incidentSchema } from '../../bot/api/shapes.ts'
import { distribution, type Figure } from '../report.ts'
import type { BenchOptions } from '../run.ts'
import { type Round, runRound } from './drill-rounds.ts'
import { flood } from './flood.ts'
import { type PersonAt, signIn } from './person.ts'
import { type ServerProcess, startServer } from './server-process.ts'

const DEFAULT_ROUNDS = 1
const ALERTS = 30
const ALERTS_IN_FLOOD = 15
/** Alerts are taken in the order in which they came, so one that comes in a flood waits for those before it. */
const CARD_WITHIN_MS = 120_000
/** Until the process has nothing left to do after a start or an alert. */
const SETTLE_MS = 5_000
const BETWEEN_ALERTS_MS = 300

/** The whole loop as people meet it: a server process of its own with PGlite, its local target, alerts by webhook, clicks over HTTP. */
export async function run({ rounds, out }: BenchOptions): Promise<readonly Figure[]> {
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
    const flooding = flood(second.url)
    const flooded = await alertToCard(second.url, alice, 'flooded', ALERTS_IN_FLOOD)
    const accepted = await flooding.end()
    await pause(SETTLE_MS)
    if (out !== null) writeFileSync(out, '')
    const done = await everyScenario(alice, rounds ?? DEFAULT_ROUNDS, (round) => {
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
      distribution('alert → card in a flood', 'ms', flooded),
      one('the flood: alerts accepted', '1/s', accepted),
      ...ofRounds(done),
    ]
  } finally {
    for (const server of opened) await server.stop()
    rmSync(dataDir, { recursive: true, force: true })
  }
}

/** From the webhook's request until the incident, with its card, can be read. Each alert is of a service nobody knows, so nothing is proposed. */
async function alertToCard(url: string, person: PersonAt, name: string, alerts: number): Promise<number[]> {
  const samples: number[] = []
  for (let n = 0; n < alerts; n += 1) {
    const service = `${name}-${n}`
    const body = JSON.stringify({ name: 'Bench', service, environment: service, status: 'firing', key: service })
    const began = performance.now()
    const response = await fetch(`${url}/webhooks/generic`, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
    if (response.status !== 202) throw new Error(`the alert was answered ${response.status}`)
    await cardOf(person, service, began + CARD_WITHIN_MS)
    samples.push(performance.now() - began)
    await pause(BETWEEN_ALERTS_MS)
  }
  return samples
}

async function cardOf(person: PersonAt, service: string, end: number): Promise<void> {
  for (;;) {
    const { items } = await person.get(`/api/v1/incidents?service=${service}&limit=1`, listOf(incidentSchema))
    if ((items[0]?.cards.length ?? 0) > 0) return
    if (performance.now() > end) throw new Error(`no card of ${service} within ${CARD_WITHIN_MS} ms`)
    await pause(2)
  }
}

async function everyScenario(person: PersonAt, rounds: number, onRound: (round: Round) => void): Promise<Round[]> {
  const { items } = await person.get('/api/v1/drills', listOf(scenarioSchema))
  const done: Round[] = []
  for (let number = 0; number < rounds; number += 1)
    for (const { name } of items) {
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
