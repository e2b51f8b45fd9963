import { z } from 'zod'
import type { Alert } from '../../agent/domain/alert.ts'
import type { IntegrationDeps, Scrape } from '../contract.ts'
import { ALERT_RULES, evaluateRule, MIN_REQUESTS_PER_SECOND, type Reading, type RuleState } from './alert-rules.ts'
import { readingsOf } from './readings.ts'

const KEY = 'local/alerts'
const MAX_UNTOLD = 200

const storedAlertSchema = z.looseObject({
  key: z.string(),
  name: z.string(),
  service: z.string(),
  startsAt: z.string(),
}) as unknown as z.ZodType<Alert>
const storedSchema = z.object({ firing: z.array(storedAlertSchema).max(MAX_UNTOLD), untold: z.array(storedAlertSchema).max(MAX_UNTOLD) })

/** The target's own alerts: its rules, judged after each round of scrapes. What fires survives a restart, so that it can be resolved. */
export interface Detection {
  open(): Promise<void>
  judge(at: Date, rows: readonly Scrape[]): void
  firing(): readonly Alert[]
  /** Rounds in which every service had requests, since a rule was last near to firing, or they were counted anew. */
  calmRounds(): number
  /** Counts them from here on. */
  startCalm(): void
  /** Resolves once what was found so far is told, or telling it failed. */
  idle(): Promise<void>
}

export function createDetection(deps: Pick<IntegrationDeps, 'memory' | 'raise' | 'log'>): Detection {
  const states = new Map<string, RuleState>()
  let before: readonly Scrape[] = []
  let untold: readonly Alert[] = []
  let telling: Promise<void> | null = null
  let calm = 0

  const firing = (): Alert[] => [...states.values()].flatMap((state) => state.firing ?? [])
  const save = (): Promise<void> => deps.memory.save(KEY, { firing: firing(), untold })

  /** Alerts are kept before they are told and until they are told: they may be told twice, which their key makes harmless, never not at all. */
  const tell = async (): Promise<void> => {
    try {
      while (untold.length > 0) {
        const batch = untold
        await save()
        await deps.raise(batch)
        untold = untold.slice(batch.length)
        await save()
      }
    } catch (error) {
      deps.log.warn({ error, alerts: untold.length }, 'alerts of the local target could not be raised; they wait')
    } finally {
      telling = null
    }
  }

  const judgeReading = (reading: Reading): Alert[] =>
    ALERT_RULES.flatMap((rule) => {
      const key = `${reading.service}/${rule.name}`
      const fresh: RuleState = { rule: rule.name, service: reading.service, badSince: null, goodSince: null, firing: null }
      const { state, alert } = evaluateRule(rule, reading, states.get(key) ?? fresh)
      states.set(key, state)
      return alert ?? []
    })

  return {
    async open() {
      const stored = storedSchema.safeParse(await deps.memory.load(KEY))
      if (!stored.success) return
      untold = stored.data.untold
      for (const alert of stored.data.firing) {
        const state = {
          rule: alert.name,
          service: alert.service ?? '',
          badSince: new Date(alert.startsAt ?? 0),
          goodSince: null,
          firing: alert,
        }
        states.set(`${alert.service}/${alert.name}`, state)
      }
    },
    judge(at, rows) {
      const readings = readingsOf(at, before, rows)
      const found = readings.flatMap(judgeReading)
      before = rows
      untold = [...untold, ...found].slice(-MAX_UNTOLD)
      const isBusy = readings.every(({ requestsPerSecond }) => requestsPerSecond >= MIN_REQUESTS_PER_SECOND)
      const isCalm = [...states.values()].every((state) => state.firing === null && state.badSince === null)
      calm = isCalm ? calm + (isBusy ? 1 : 0) : 0
      if (untold.length > 0) telling ??= tell()
    },
    firing,
    calmRounds: () => calm,
    startCalm: () => {
      calm = 0
    },
    idle: async () => {
      await telling
    },
  }
}
