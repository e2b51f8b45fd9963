import { z } from 'zod'
import { ALERT_LEVELS } from '../../agent/domain/alert.ts'
import { ACCOUNT_IN_ADDRESS, hasAccount } from './address.ts'
import type { EnvironmentReader } from './secrets.ts'

const text = (max: number) => z.string().trim().min(1).max(max)

const expectedSchema = z.strictObject({
  name: text(100).meta({ description: 'Where the alerts come from, in words for people; each once.' }),
  alert: text(300).default('Watchdog').meta({ description: 'What the alert that fires always is called.' }),
  source: text(64).optional().meta({ description: 'The webhook it comes by; left out: any.' }),
  match: z
    .record(z.string().max(200), z.string().max(500))
    .default({})
    .meta({ description: 'Labels it has, among others, where several send one of the same name.' }),
  withinSeconds: z
    .int()
    .min(60, 'must be a minute at least')
    .max(604_800, 'must be a week at most')
    .default(600)
    .meta({ description: 'Seconds without it after which people are told.' }),
  environment: text(100).optional().meta({ description: 'What the environment is called that falls silent.' }),
  level: z.enum(ALERT_LEVELS).default('critical').meta({ description: 'How urgent its silence is; the severity follows by rule.' }),
})

/** The part of the settings file that is about heartbeats, those that come in and the one that goes out. */
export const heartbeatsFileSchema = z.strictObject({
  expected: z.array(expectedSchema).max(50).optional().meta({ description: 'Alerts that fire always, and whose absence pages.' }),
  url: z
    .url({ protocol: /^https?$/ })
    .max(1_000)
    .refine((address) => !hasAccount(address), ACCOUNT_IN_ADDRESS)
    .optional()
    .meta({
      description: 'What is called with GET while approved actions would run. A secret: whoever knows it can call it.',
      env: 'STEADYHAND_HEARTBEAT_URL',
    }),
  everySeconds: z
    .int()
    .min(10, 'must be ten seconds at least')
    .max(86_400, 'must be a day at most')
    .optional()
    .meta({ description: 'Seconds between two calls.', default: 60 }),
})

export interface HeartbeatSettings {
  /** Alerts that fire always, and whose absence pages. */
  expected: readonly (Omit<z.infer<typeof expectedSchema>, 'source' | 'environment'> & {
    source: string | null
    environment: string | null
  })[]
  /** What is called while this installation is well; whoever knows it can call it too. Null: nothing. */
  url: string | null
  everySeconds: number
}

const EVERY_SECONDS = 60

export function readHeartbeats(read: EnvironmentReader, file: z.infer<typeof heartbeatsFileSchema> = {}): HeartbeatSettings {
  const expected = (file.expected ?? []).map((each) => ({ ...each, source: each.source ?? null, environment: each.environment ?? null }))
  const twice = expected.find(({ name }, index) => expected.findIndex((other) => other.name === name) !== index)
  if (twice) read.problems.push(`heartbeats.expected: "${twice.name}" is there twice.`)
  return { expected, url: urlOf(read) ?? file.url ?? null, everySeconds: file.everySeconds ?? EVERY_SECONDS }
}

function urlOf(read: EnvironmentReader): string | undefined {
  const url = read.secret('STEADYHAND_HEARTBEAT_URL')
  if (url === undefined || (/^https?:\/\//i.test(url) && URL.canParse(url) && !hasAccount(url))) return url
  // Never with the value: who knows the address can call it.
  read.problems.push('STEADYHAND_HEARTBEAT_URL must be an address that begins with http:// or https://, without a user name and password.')
  return undefined
}
