import { type Document, LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { issueWords } from '../../agent/domain/issue-words.ts'
import { nearest } from '../../agent/domain/nearest.ts'
import { ROLES, SURFACES } from '../../agent/domain/principal.ts'
import { oidcFileSchema } from '../oidc/settings.ts'
import { slackFileSchema } from '../slack/settings.ts'
import { tracesFileSchema } from '../traces/settings.ts'
import { heartbeatsFileSchema } from './heartbeat-settings.ts'
import { keysAt } from './keys-at.ts'
import { modelsFileSchema } from './model-settings.ts'
import { sloFileSchema } from './slo-settings.ts'
import { sourcesFileShape } from './sources.ts'
import { workspaceFileSchema } from './workspace-settings.ts'
import { lineOf, type YamlProblem, yamlProblem } from './yaml-problems.ts'

/** A shared secret shorter than this could be guessed. Characters, which for hex or base64 is fewer bits than bytes of it. */
export const SHORTEST_TOKEN = 32

const MAX_ALIASES = 20
const text = (max: number) => z.string().trim().min(1).max(max)
const token = z
  .string()
  .min(SHORTEST_TOKEN, `must be at least ${SHORTEST_TOKEN} characters long, for example from "openssl rand -hex 32"`)
  .max(512)

const linkSchema = z.strictObject({
  surface: z.enum(SURFACES).meta({ description: 'Where the account is: the platform.' }),
  tenant: text(500).meta({ description: 'The workspace, or the issuer of the identity provider, exactly.' }),
  id: text(255).meta({ description: 'The id of the account there.' }),
})

const personSchema = z.strictObject({
  id: z
    .string()
    .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower case letters, digits, dots, dashes or underscores')
    .meta({ description: 'The person’s id in this installation; it never changes.' }),
  name: text(100).meta({ description: 'As people see it.' }),
  roles: z.array(z.enum(ROLES)).min(1, 'must name at least one role').max(ROLES.length).meta({
    description:
      'viewer (read, ask) < responder (investigate, propose, resolve, freeze) < approver (vote, stop) < admin (links, roles, policy, with a second admin).',
  }),
  environments: z.array(text(100)).min(1).max(50).optional().meta({ description: 'Where the roles hold; left out: everywhere.' }),
  links: z
    .array(linkSchema)
    .max(20)
    .default([])
    .meta({ description: 'The accounts the person is known by. Nobody is ever found by a name or an e-mail address.' }),
})

const days = z.int().min(1, 'must be a day at least').max(3_650, 'must be ten years at most').optional()

/** How long what is kept. */
const retentionSchema = z.strictObject({
  deliveriesDays: days.meta({
    description: 'Days that deliveries of alerts and changes are kept as they arrived, once they were read.',
    default: 30,
  }),
  noticesDays: days.meta({ description: 'Days that notices are kept after they were told.', default: 30 }),
  evidenceDays: days.meta({
    description: 'Days that the content of evidence, and what models were told and said, is kept after an incident ended.',
    default: 180,
  }),
  messagesDays: days.meta({ description: 'Days that what was said on the console is kept after an incident ended.', default: 180 }),
  jobsDays: days.meta({ description: 'Days that finished jobs are kept.', default: 1 }),
  // Investigations and verifications look back on as much as an hour.
  telemetryHours: z
    .int()
    .min(2, 'must be two hours at least')
    .max(720, 'must be a month at most')
    .optional()
    .meta({ description: 'Hours that samples of the local target are kept.', default: 2 }),
})

/** The settings file, key by key. Whatever is not named here is refused. */
export const settingsFileSchema = z.strictObject({
  host: text(255).optional().meta({
    description:
      'The address it listens on. On any but a loopback address it starts only with keys for the API and a token for the webhooks.',
    default: '127.0.0.1',
    env: 'HOST',
  }),
  port: z
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .meta({ description: 'The port for people, programs and webhooks; 0 lets the system choose.', default: 7878, env: 'PORT' }),
  healthPort: z
    .int()
    .min(0)
    .max(65_535)
    .optional()
    .meta({ description: 'A port for probes and scrapers alone: /healthz, /readyz, /metrics, without a key.', env: 'HEALTH_PORT' }),
  publicUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .meta({ description: 'The address people reach it at, when a proxy stands before it; links use it.', env: 'STEADYHAND_PUBLIC_URL' }),
  hosts: z.array(text(255)).max(50).optional().meta({ description: 'More names it is called by; requests to any other are refused.' }),
  dataDir: text(1_000).optional().meta({
    description: 'Where the journal of effects is and, without a server, the database.',
    default: 'data',
    env: 'STEADYHAND_DATA_DIR',
  }),
  databaseUrl: text(2_000)
    .optional()
    .meta({ description: 'A PostgreSQL server, 15 or newer, instead of the embedded database.', env: 'DATABASE_URL' }),
  policy: text(1_000).optional().meta({
    description: 'The policy file: what needs whose approval. Without one the built-in policy covers the local target only.',
    env: 'STEADYHAND_POLICY',
  }),
  runbooks: z
    .strictObject({
      folder: text(1_000)
        .optional()
        .meta({ description: 'A folder of the team’s own runbooks, in Markdown; read at each start.', env: 'STEADYHAND_RUNBOOKS' }),
    })
    .optional()
    .meta({ description: 'What the team has written down.' }),
  people: z
    .array(personSchema)
    .max(1_000)
    .optional()
    .meta({ description: 'Who may do what. Without it Alice and Carol approve and Bob looks on, for the local target on this machine.' }),
  workspaces: z.array(workspaceFileSchema).max(200).optional().meta({
    description:
      'Teams, and what each sees. Without it everybody sees everything; with it, what belongs to no workspace is seen by admins alone.',
  }),
  slos: z.array(sloFileSchema).max(200).optional().meta({
    description: 'What services promise. How fast a promise is being broken is watched, and raised while there is still time.',
  }),
  oidc: oidcFileSchema.optional().meta({ description: 'Where people sign in to the console: any provider of OpenID Connect.' }),
  slack: slackFileSchema.optional().meta({ description: 'The chat that incidents are shown in.' }),
  models: modelsFileSchema.optional().meta({ description: 'Who is asked after the rules have diagnosed.' }),
  api: z
    .strictObject({
      keys: z.array(token).max(100).default([]).meta({
        description:
          'Keys of programs, 32 characters or more each: KEY, or NAME:KEY for one that a workspace names. A key reads and asks; it never votes.',
        env: 'STEADYHAND_API_KEYS',
      }),
    })
    .optional()
    .meta({ description: 'Programs that call it.' }),
  webhooks: z
    .strictObject({
      token: token
        .optional()
        .meta({ description: 'What senders of alerts and changes present, 32 characters or more.', env: 'STEADYHAND_WEBHOOK_TOKEN' }),
      perSecond: z
        .int()
        .min(1)
        .max(10_000)
        .optional()
        .meta({ description: 'Deliveries a second from one source; what exceeds them is told to come back.', default: 500 }),
      burst: z.int().min(1).max(100_000).optional().meta({ description: 'Deliveries of one source at once.', default: 2000 }),
    })
    .optional()
    .meta({ description: 'Who sends alerts and changes.' }),
  heartbeats: heartbeatsFileSchema
    .optional()
    .meta({ description: 'Alerts that are missed when they no longer come, and what is called while all is well.' }),
  traces: tracesFileSchema.optional().meta({ description: 'Traces of its own work: ids and words of closed lists, no text from outside.' }),
  local: z
    .strictObject({
      enabled: z
        .boolean()
        .default(true)
        .meta({ description: 'Whether the shop of small services on this machine, which drills break and mend, is there.' }),
    })
    .optional()
    .meta({ description: 'The target that needs nothing.' }),
  ...sourcesFileShape,
  retention: retentionSchema
    .optional()
    .meta({ description: 'How long what is kept. Votes, plans, executions, incidents, diagnoses and the audit log stay for good.' }),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).optional().meta({
        description: 'What is logged, on standard error: from info on, on a terminal from warn on.',
        env: 'LOG_LEVEL',
      }),
      format: z.enum(['json', 'words']).optional().meta({
        description: 'How: one line each of JSON, or of words for people. Left out: words on a terminal, else JSON.',
        env: 'LOG_FORMAT',
      }),
    })
    .optional()
    .meta({ description: 'The log.' }),
})

export type SettingsFile = z.infer<typeof settingsFileSchema>

/** The settings in a file's text, or every problem with it, each with its line and what to write. An empty file holds no settings. */
export function parseSettings(yaml: string): { settings: SettingsFile; problems: [] } | { settings: null; problems: YamlProblem[] } {
  const lines = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  if (document.errors.length > 0) return { settings: null, problems: document.errors.map((error) => yamlProblem(error, lines)) }
  const parsed = settingsFileSchema.safeParse(document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {}, { error: issueWords })
  if (parsed.success) return { settings: parsed.data, problems: [] }
  const problems = parsed.error.issues.flatMap((issue) => inWords(issue, document, lines))
  return { settings: null, problems: problems.toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
}

function inWords(issue: z.core.$ZodIssue, document: Document, lines: LineCounter): YamlProblem[] {
  const { path } = issue
  const where = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  const place = where.replace(/^\./, '')
  if (issue.code !== 'unrecognized_keys')
    return [{ line: lineOf(document, lines, path), words: `${place || 'the file'}: ${issue.message}` }]
  const known = keysAt(settingsFileSchema, path)
  return issue.keys.map((key) => {
    const meant = nearest(key, known)
    const words = `${place === '' ? key : `${place}.${key}`} is not a setting. ${meant === null ? `Known here: ${known.join(', ')}.` : `Did you mean "${meant}"?`}`
    return { line: lineOf(document, lines, path, key), words }
  })
}
