import type { z } from 'zod'
import type { AlertmanagerOptions } from './alertmanager/index.ts'
import { webhookShape as alertmanagerShape, parseAlertmanagerWebhook } from './alertmanager/webhook.ts'
import type { Integration, IntegrationDeps } from './contract.ts'
import { webhookShape as genericShape, parseGenericWebhook } from './generic/webhook.ts'
import type { GithubOptions } from './github/index.ts'
import type { GitlabOptions } from './gitlab/index.ts'
import type { JaegerOptions } from './jaeger/index.ts'
import type { KubernetesOptions } from './kubernetes/index.ts'
import type { LokiOptions } from './loki/index.ts'
import type { McpListing, McpOptions } from './mcp/index.ts'
import type { DurableWay } from './ports/durable-ways.ts'
import type { ModelPort, ModelSettings } from './ports/model.ts'
import type { ParseWebhook } from './ports/webhook.ts'
import type { PrometheusOptions } from './prometheus/index.ts'
import { createReportedChanges, type StoredChanges } from './reported/index.ts'
import { webhookShape as changesShape, parseChanges } from './reported/webhook.ts'
import type { TempoOptions } from './tempo/index.ts'

/** The part of the settings that decides which integrations there are. */
export interface IntegrationSettings {
  dataDir: string
  local: { enabled: boolean }
  sources: {
    kubernetes: KubernetesOptions | null
    prometheus: readonly PrometheusOptions[]
    loki: readonly LokiOptions[]
    jaeger: readonly JaegerOptions[]
    tempo: readonly TempoOptions[]
    github: readonly GithubOptions[]
    gitlab: readonly GitlabOptions[]
    alertmanager: readonly AlertmanagerOptions[]
    mcp: readonly McpOptions[]
  }
}

interface Entry {
  id: string
  isConfigured(settings: IntegrationSettings): boolean
  /** Loads the vendor's code, and its SDK with it, only when it is configured. */
  create(deps: IntegrationDeps, settings: IntegrationSettings): Promise<Integration | readonly Integration[]>
}

const CHANGE = 'github.change-value'

/** What people can ask for so that a change outlasts whoever puts a cluster back to what its repository says. */
function durableWays(servers: readonly GithubOptions[]): DurableWay[] {
  return servers.flatMap(({ environment, url, actions, repositories }) => {
    if (!actions.includes(CHANGE)) return []
    const host = new URL(url).hostname.replace(/^api\.github\.com$/, 'github.com')
    return Object.entries(repositories).map(([service, { repository, manifests }]) => ({
      ...{ environment, service, repository: `${host}/${manifests ?? repository}`.toLowerCase() },
      command: `do change-value ${service} file=FILE path=KEYS to=VALUE`,
    }))
  })
}

/** Every integration there is. */
const INTEGRATIONS: readonly Entry[] = [
  {
    id: 'local',
    isConfigured: ({ local }) => local.enabled,
    create: async (deps, { dataDir }) => (await import('./local/index.ts')).createLocalTarget(deps, { dir: `${dataDir}/local` }),
  },
  {
    id: 'kubernetes',
    isConfigured: ({ sources }) => sources.kubernetes !== null,
    create: async (deps, { sources: { kubernetes, github } }) =>
      kubernetes ? (await import('./kubernetes/index.ts')).createKubernetes(deps, { ...kubernetes, durable: durableWays(github) }) : [],
  },
  {
    id: 'prometheus',
    isConfigured: ({ sources }) => sources.prometheus.length > 0,
    create: async (_deps, { sources }) => sources.prometheus.map((await import('./prometheus/index.ts')).createPrometheus),
  },
  {
    id: 'loki',
    isConfigured: ({ sources }) => sources.loki.length > 0,
    create: async (_deps, { sources }) => sources.loki.map((await import('./loki/index.ts')).createLoki),
  },
  {
    id: 'jaeger',
    isConfigured: ({ sources }) => sources.jaeger.length > 0,
    create: async (deps, { sources }) => {
      const { createJaeger } = await import('./jaeger/index.ts')
      return sources.jaeger.map((options) => createJaeger(deps, options))
    },
  },
  {
    id: 'tempo',
    isConfigured: ({ sources }) => sources.tempo.length > 0,
    create: async (deps, { sources }) => {
      const { createTempo } = await import('./tempo/index.ts')
      return sources.tempo.map((options) => createTempo(deps, options))
    },
  },
  {
    id: 'github',
    isConfigured: ({ sources }) => sources.github.length > 0,
    create: async (deps, { sources }) => (await import('./github/index.ts')).createGithub(deps, sources.github),
  },
  {
    id: 'gitlab',
    isConfigured: ({ sources }) => sources.gitlab.length > 0,
    create: async (deps, { sources }) => {
      const { createGitlab } = await import('./gitlab/index.ts')
      return sources.gitlab.map((options) => createGitlab(deps, options))
    },
  },
  {
    id: 'alertmanager',
    isConfigured: ({ sources }) => sources.alertmanager.length > 0,
    create: async (deps, { sources }) => (await import('./alertmanager/index.ts')).createAlertmanager(deps, sources.alertmanager),
  },
  {
    id: 'mcp',
    isConfigured: ({ sources }) => sources.mcp.length > 0,
    create: async (_deps, { sources }) => sources.mcp.map((await import('./mcp/index.ts')).createMcp),
  },
]

/** The integrations these settings ask for, none of them started yet. `depsOf` lends each its own. */
export async function createIntegrations(
  settings: IntegrationSettings,
  depsOf: (id: string) => IntegrationDeps,
  stored: StoredChanges,
): Promise<Integration[]> {
  const configured = INTEGRATIONS.filter((entry) => entry.isConfigured(settings))
  const created = (await Promise.all(configured.map(({ id, create }) => create(depsOf(id), settings)))).flat()
  const environments = [...new Set(created.flatMap((each) => each.environments))]
  return [...created, createReportedChanges({ stored, environments })]
}

/** What servers of others offer now, for whoever reviews it. */
export async function listOutsideTools(servers: readonly McpOptions[], signal: AbortSignal): Promise<McpListing[]> {
  const { listMcp } = await import('./mcp/index.ts')
  return await Promise.all(servers.map((server) => listMcp(server, signal)))
}

/** Every provider of language models, each loaded only when it is configured. */
const MODELS: ReadonlyMap<string, (settings: ModelSettings) => Promise<ModelPort>> = new Map([
  ['anthropic', async (settings: ModelSettings) => (await import('./anthropic/index.ts')).createAnthropicModel(settings)],
  ['openai', async (settings: ModelSettings) => (await import('./openai/index.ts')).createOpenAiModel(settings)],
])

/** The models these settings ask for, in their order. Nothing is sent yet. */
export async function createModels(providers: readonly (ModelSettings & { id: string })[]): Promise<ModelPort[]> {
  return await Promise.all(providers.flatMap(({ id, ...settings }) => MODELS.get(id)?.(settings) ?? []))
}

/** What can be sent to /webhooks/NAME, and how it is read. */
export interface WebhookFormat {
  name: string
  summary: string
  /** What is sent, for the description of the interface; reading is more lenient. */
  shape: z.ZodType
  parse: ParseWebhook
}

/** Every sender there is. A body with changes holds no alerts; it is read again when an incident asks what changed. */
export const WEBHOOKS: readonly WebhookFormat[] = [
  {
    name: 'alertmanager',
    summary: 'Alerts of Prometheus Alertmanager, version 4.',
    shape: alertmanagerShape,
    parse: parseAlertmanagerWebhook,
  },
  {
    name: 'generic',
    summary: 'Alerts of anything that can send JSON: one, a list, or {"alerts": […]}.',
    shape: genericShape,
    parse: parseGenericWebhook,
  },
  {
    name: 'changes',
    summary: 'What somebody changed: one change, a list, or {"changes": […]}.',
    shape: changesShape,
    parse: parseOfChanges,
  },
]

function parseOfChanges(body: Uint8Array): ReturnType<ParseWebhook> {
  const parsed = parseChanges(body)
  if (!parsed.ok) return { ok: false, code: 'foreign', words: parsed.words }
  return { ok: true, alerts: [], unusable: parsed.unusable, truncated: 0 }
}
