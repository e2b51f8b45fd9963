import { LineCounter, parseDocument } from 'yaml'
import { z } from 'zod'
import { ROLES, SURFACES } from '../../agent/domain/principal.ts'
import { oidcFileSchema } from '../oidc/settings.ts'
import { slackFileSchema } from '../slack/settings.ts'
import { modelsFileSchema } from './model-settings.ts'
import { keysAt, nearestKey } from './nearest-key.ts'
import { sourcesFileShape } from './sources.ts'
import { workspaceFileSchema } from './workspace-settings.ts'

/** A shared secret shorter than this could be guessed. Characters, which for hex or base64 is fewer bits than bytes of it. */
export const SHORTEST_TOKEN = 32

const MAX_ALIASES = 20
const text = (max: number) => z.string().trim().min(1).max(max)
const token = z
  .string()
  .min(SHORTEST_TOKEN, `must be at least ${SHORTEST_TOKEN} characters long, for example from "openssl rand -hex 32"`)
  .max(512)

const linkSchema = z.strictObject({
  surface: z.enum(SURFACES),
  tenant: text(500),
  id: text(255),
})

const personSchema = z.strictObject({
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower case letters, digits, dots, dashes or underscores'),
  name: text(100),
  roles: z.array(z.enum(ROLES)).min(1, 'must name at least one role').max(ROLES.length),
  environments: z.array(text(100)).min(1).max(50).optional(),
  links: z.array(linkSchema).max(20).default([]),
})

const days = z.int().min(1, 'must be a day at least').max(3_650, 'must be ten years at most').optional()

/** How long what is kept. */
const retentionSchema = z.strictObject({
  deliveriesDays: days,
  noticesDays: days,
  evidenceDays: days,
  messagesDays: days,
  jobsDays: days,
  // Investigations and verifications look back on as much as an hour.
  telemetryHours: z.int().min(2, 'must be two hours at least').max(720, 'must be a month at most').optional(),
})

/** The settings file, key by key. Whatever is not named here is refused. */
export const settingsFileSchema = z.strictObject({
  host: text(255).optional(),
  port: z.int().min(0).max(65_535).optional(),
  publicUrl: z.url({ protocol: /^https?$/ }).optional(),
  hosts: z.array(text(255)).max(50).optional(),
  dataDir: text(1_000).optional(),
  databaseUrl: text(2_000).optional(),
  policy: text(1_000).optional(),
  runbooks: z.strictObject({ folder: text(1_000).optional() }).optional(),
  people: z.array(personSchema).max(1_000).optional(),
  workspaces: z.array(workspaceFileSchema).max(200).optional(),
  oidc: oidcFileSchema.optional(),
  slack: slackFileSchema.optional(),
  models: modelsFileSchema.optional(),
  api: z.strictObject({ keys: z.array(token).max(100).default([]) }).optional(),
  webhooks: z
    .strictObject({
      token: token.optional(),
      perSecond: z.int().min(1).max(10_000).optional(),
      burst: z.int().min(1).max(100_000).optional(),
    })
    .optional(),
  local: z.strictObject({ enabled: z.boolean().default(true) }).optional(),
  ...sourcesFileShape,
  retention: retentionSchema.optional(),
  log: z.strictObject({ level: z.enum(['debug', 'info', 'warn', 'error', 'silent']).optional() }).optional(),
})

export type SettingsFile = z.infer<typeof settingsFileSchema>

/** The settings in a file's text, or every problem with it, one sentence each. An empty file holds no settings. */
export function parseSettings(yaml: string): { settings: SettingsFile; problems: [] } | { settings: null; problems: string[] } {
  const lines = new LineCounter()
  const document = parseDocument(yaml, { lineCounter: lines, prettyErrors: false, uniqueKeys: true })
  const broken = document.errors.map((error) => `line ${lines.linePos(error.pos[0]).line}: ${error.message}`)
  if (broken.length > 0) return { settings: null, problems: broken }
  const parsed = settingsFileSchema.safeParse(document.toJS({ maxAliasCount: MAX_ALIASES }) ?? {})
  if (parsed.success) return { settings: parsed.data, problems: [] }
  return { settings: null, problems: parsed.error.issues.flatMap(inWords) }
}

function inWords(issue: z.core.$ZodIssue): string[] {
  const where = issue.path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('')
  const place = where.replace(/^\./, '')
  if (issue.code !== 'unrecognized_keys') return [`${place || 'the file'}: ${issue.message}`]
  const known = keysAt(settingsFileSchema, issue.path)
  return issue.keys.map((key) => {
    const meant = nearestKey(key, known)
    const full = place === '' ? key : `${place}.${key}`
    return `${full} is not a setting. ${meant === null ? `Known here: ${known.join(', ')}.` : `Did you mean "${meant}"?`}`
  })
}
