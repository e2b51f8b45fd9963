import { z } from 'zod'
import { DATA_KINDS, type DataKind } from '../../agent/domain/model-data.ts'
import { ACCOUNT_IN_ADDRESS, addressSchema, hasAccount } from './address.ts'
import type { EnvironmentReader, VariableWords } from './secrets.ts'

/** The metrics that a query of one's own may stand for. */
const METRICS = [
  'request_rate',
  'error_ratio',
  'latency_p99',
  'latency_p50',
  'memory_used_ratio',
  'memory_used_bytes',
  'cpu_used_ratio',
  'replicas_ready',
  'restarts',
  'recent_restarts',
  'log_volume_used_ratio',
  'certificate_days_left',
  'job_age_seconds',
  'queue_depth',
] as const
const ARGO_ACTIONS = ['argo-pause', 'argo-sync', 'argo-rollback'] as const
const ACTIONS = [
  ...(['restart', 'rollback', 'scale', 'autoscaler', 'set-resources', 'pause', 'delete-pod', 'cordon'] as const),
  ...ARGO_ACTIONS,
] as const

const text = (max: number) => z.string().trim().min(1).max(max)
const url = addressSchema(500)
const label = z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_]*$/, 'must be the name of a label: letters, digits and underscores')
const metricName = z.string().regex(/^[a-zA-Z_:][a-zA-Z0-9_:]*$/, 'must be the name of a metric: letters, digits, underscores and colons')
const namespace = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'must be the name of a namespace')
const namespaces = z.array(namespace).max(200)
const match = z.record(label, text(500)).optional()
const seconds = (min: number, max: number) => z.int().min(min).max(max)

const attributes = z
  .record(
    z.string().regex(/^[a-zA-Z_][a-zA-Z0-9_.-]*$/, 'must be the name of an attribute: letters, digits, dots, dashes and underscores'),
    text(500),
  )
  .optional()

const address = {
  environment: text(100).optional().meta({ description: 'What it tells of.', default: 'production' }),
  url: url.optional().meta({ description: 'Its address; the variable stands for that of the first.' }),
  /** Where people open it. */
  linkUrl: url.optional().meta({ description: 'Where people open it, when that is another address.' }),
  /** A file with the token that this server asks for. */
  tokenFile: text(1_000).optional().meta({ description: 'A file with the token that this server asks for; it is sent to no other.' }),
}
const scoped = {
  ...address,
  tenant: text(200).optional().meta({ description: 'Sent as X-Scope-OrgID.' }),
  namespaces: namespaces.optional().meta({ description: 'Nothing outside of them is asked for.' }),
}
const server = { ...scoped, match: match.meta({ description: 'Labels that every query asks for.' }) }

const prometheusSchema = z.strictObject({
  ...server,
  scrapeSeconds: seconds(1, 300).optional().meta({ description: 'Seconds between two samples.', default: 15 }),
  serviceLabel: label.optional().meta({ description: 'The label that names the service.', default: 'service' }),
  requests: metricName.optional().meta({ description: 'The counter of requests.', default: 'http_requests_total' }),
  statusLabel: label.optional().meta({ description: 'Its label with the status.', default: 'status' }),
  duration: metricName
    .optional()
    .meta({ description: 'The histogram of durations, in seconds.', default: 'http_request_duration_seconds' }),
  queries: z
    .partialRecord(z.enum(METRICS), text(2_000))
    .optional()
    .meta({ description: 'Queries in place of the built-in ones, by metric; $service stands for the service.' }),
})

const lokiSchema = z.strictObject({
  ...server,
  serviceLabel: label.optional().meta({ description: 'The label that names the service.', default: 'app' }),
})

const jaegerSchema = z.strictObject({ ...address, tenant: text(200).optional().meta({ description: 'Sent as x-tenant.' }) })

const tempoSchema = z.strictObject({
  ...scoped,
  match: attributes.meta({ description: 'Attributes of the resource that every query asks for.' }),
})

const alertmanagerSchema = z.strictObject({
  environment: address.environment,
  url: address.url,
  tokenFile: address.tokenFile,
  /** Says that silences may be made although the embedded database does not survive a power cut. */
  acceptEmbeddedDatabase: z.boolean().optional().meta({
    description: 'Says that silences may be made although the embedded database may lose what it wrote last in a power cut.',
    default: false,
  }),
})

const PUBLIC_GITHUB = 'https://api.github.com'
const PUBLIC_GITLAB = 'https://gitlab.com'

const FORGE_ACTIONS = ['revert-commit', 'change-value'] as const

const VERSIONS =
  '`versions`, how a deployed version names a state of it: `v{version}` (the tag v42 is version 42), `main-{commit}` (version main-3f2a1bc is a commit); left out: `{version}`, as it is.'
const versionPattern = z
  .string()
  .max(100)
  .refine((pattern) => pattern.split(/\{version\}|\{commit\}/).length === 2, 'must hold {version} or {commit}, once')
const repositoriesOf = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z
    .record(text(200), z.strictObject({ ...shape, versions: versionPattern.optional() }))
    .refine((services) => Object.keys(services).length <= 200, 'must be 200 services at most')
const forge = {
  environment: text(100).optional().meta({ description: 'The environment that is deployed from there.', default: 'production' }),
  tokenFile: text(1_000).optional().meta({ description: 'A file with the token that reads; it is sent to no other server.' }),
}

const ownerAndName = z.string().regex(/^[\w.-]{1,100}\/[\w.-]{1,100}$/, 'must be OWNER/NAME')

const githubSchema = z.strictObject({
  ...forge,
  url: url.optional().meta({ description: 'Its API; of a server of one’s own https://HOST/api/v3.', default: PUBLIC_GITHUB }),
  repositories: repositoriesOf({ repository: ownerAndName, manifests: ownerAndName.optional() }).meta({
    description: `By service: \`repository\`, OWNER/NAME; \`manifests\`, the repository that says what is deployed, where that is another; and ${VERSIONS}`,
  }),
  actions: z
    .array(z.enum(FORGE_ACTIONS))
    .max(FORGE_ACTIONS.length)
    .optional()
    .meta({ description: 'What may be proposed there, as a pull request; left out: it only reads.' }),
  writeTokenFile: text(1_000)
    .optional()
    .meta({ description: 'A file with the token that opens pull requests: for a process that acts, and no other.' }),
  acceptEmbeddedDatabase: z.boolean().optional().meta({
    description: 'Says that pull requests may be opened although the embedded database may lose what it wrote last in a power cut.',
    default: false,
  }),
})

const gitlabSchema = z.strictObject({
  ...forge,
  url: url.optional().meta({ description: 'Its address.', default: PUBLIC_GITLAB }),
  repositories: repositoriesOf({
    repository: z.string().regex(/^[\w.-]{1,100}(\/[\w.-]{1,100}){1,10}$/, 'must be the whole path, GROUP/NAME'),
  }).meta({
    description: `By service: \`repository\`, the whole path of the project, and ${VERSIONS}`,
  }),
})

const mcpSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,19}$/, 'must be up to 20 lower case letters, digits and dashes')
    .meta({ description: 'What it is called here; each once.' }),
  environment: address.environment,
  url: url.meta({ description: 'Its address, of Streamable HTTP; nothing else is asked, and no redirect is followed.' }),
  tokenFile: address.tokenFile,
  data: z
    .enum(DATA_KINDS)
    .meta({ description: 'What its answers are: told to models that may be told such data, and read by those who may read it.' }),
  workspaces: z.array(text(64)).max(200).optional().meta({
    description: 'Where there are workspaces: those in whose incidents it may be asked; everybody who sees one of these reads the answer.',
  }),
  tools: z
    .array(
      z.strictObject({
        name: text(128).meta({ description: 'What the server calls it.' }),
        sha256: z
          .string()
          .regex(/^[0-9a-f]{64}$/, 'must be the 64 hexadecimal digits that "steadyhand mcp list" shows')
          .meta({ description: 'Of everything that it said of itself when it was reviewed; with anything else it is not offered.' }),
      }),
    )
    .max(20)
    .default([])
    .meta({ description: 'The tools that a model may use: those that say that they only read, each as somebody read it.' }),
})

const verificationSchema = z.strictObject({
  settleSeconds: seconds(0, 600).optional().meta({ description: 'Seconds after a change before it is judged.', default: 30 }),
  holdSeconds: seconds(1, 600).optional().meta({ description: 'Seconds it has to hold.', default: 60 }),
  withinSeconds: seconds(10, 3_600).optional().meta({ description: 'Seconds after which it has failed.', default: 600 }),
})

const kubernetesSchema = z.strictObject({
  kubeconfig: text(1_000)
    .optional()
    .meta({ description: 'The kubeconfig; neither this nor the variable: the account of the pod it runs in.', env: 'KUBECONFIG' }),
  /** Says that changes may be made although the embedded database does not survive a power cut. */
  acceptEmbeddedDatabase: z.boolean().optional().meta({
    description: 'Says that changes may be made although the embedded database may lose what it wrote last in a power cut.',
    default: false,
  }),
  environments: z
    .array(
      z.strictObject({
        name: text(100).meta({ description: 'What alerts call it: their label env or environment.' }),
        context: text(200).optional().meta({ description: 'The context of the kubeconfig; left out: the current one.' }),
        namespaces: namespaces.min(1, 'must name at least one namespace').meta({ description: 'Nothing outside of them is read.' }),
        argocdNamespace: namespace.optional().meta({
          description: 'Where Argo CD of this cluster keeps its applications; left out: nothing is asked about them.',
        }),
        actions: z
          .array(z.enum(ACTIONS))
          .max(ACTIONS.length)
          .optional()
          .meta({ description: 'What may be proposed there; left out: it only reads.' }),
        impersonateGroup: text(200).optional().meta({ description: 'Changes are made in the name of this group.' }),
        podLogs: z.boolean().optional().meta({ description: 'Whether logs of pods are read.', default: true }),
        verification: verificationSchema.optional().meta({ description: 'When a change is judged.' }),
      }),
    )
    .max(20)
    .optional()
    .meta({ description: 'Some namespaces of some clusters.' }),
})

/** The parts of the settings file that say where evidence comes from and what may be acted on. Secrets are not in it. */
export const sourcesFileShape = {
  kubernetes: kubernetesSchema.optional().meta({ description: 'Clusters that are read and, where actions are named, acted on.' }),
  prometheus: z.array(prometheusSchema).max(20).optional().meta({ description: 'Servers of metrics.' }),
  loki: z.array(lokiSchema).max(20).optional().meta({ description: 'Servers of logs.' }),
  jaeger: z.array(jaegerSchema).max(20).optional().meta({ description: 'Servers of traces, by the query API of Jaeger.' }),
  tempo: z.array(tempoSchema).max(20).optional().meta({ description: 'Servers of traces, by the API of Tempo.' }),
  github: z.array(githubSchema).max(20).optional().meta({ description: 'Repositories of services: what changed between two versions.' }),
  gitlab: z.array(gitlabSchema).max(20).optional().meta({ description: 'The same of projects at GitLab.' }),
  alertmanager: z
    .array(alertmanagerSchema)
    .max(20)
    .optional()
    .meta({ description: 'Servers at which alerts of an incident may be silenced.' }),
  mcp: z
    .array(mcpSchema)
    .max(10)
    .optional()
    .meta({ description: 'Servers of others whose read-only tools a model may use, by the Model Context Protocol.' }),
}
/** They stand for the first server of their kind. */
export const sourceVariables: VariableWords = {
  PROMETHEUS_URL: { words: 'The address of the first server of metrics.', key: 'prometheus[].url' },
  PROMETHEUS_TOKEN: { words: 'Its token.', secret: true },
  LOKI_URL: { words: 'The address of the first server of logs.', key: 'loki[].url' },
  LOKI_TOKEN: { words: 'Its token.', secret: true },
  JAEGER_URL: { words: 'The address of the first Jaeger.', key: 'jaeger[].url' },
  JAEGER_TOKEN: { words: 'Its token.', secret: true },
  TEMPO_URL: { words: 'The address of the first Tempo.', key: 'tempo[].url' },
  TEMPO_TOKEN: { words: 'Its token.', secret: true },
  GITHUB_TOKEN: { words: 'The token of the first GitHub, where the file names one.', secret: true },
  GITHUB_WRITE_TOKEN: {
    words: 'The token with which the first GitHub opens pull requests: for a process that acts, and no other.',
    secret: true,
  },
  GITLAB_TOKEN: { words: 'The token of the first GitLab, where the file names one.', secret: true },
  ALERTMANAGER_URL: {
    words: 'The address of the first server at which alerts may be silenced, where the file names one.',
    key: 'alertmanager[].url',
  },
  ALERTMANAGER_TOKEN: { words: 'Its token.', secret: true },
  MCP_TOKEN: { words: 'The token of the first server of others that the file names.', secret: true },
}
type SourcesFile = z.infer<z.ZodObject<typeof sourcesFileShape>>

interface ServerSettings {
  environment: string
  url: string
  linkUrl: string | null
  token: string | null
  tenant: string | null
  namespaces: readonly string[]
}

/** A server that keeps repositories of services. */
interface ForgeSettings extends Pick<ServerSettings, 'environment' | 'url' | 'token'> {
  repositories: Readonly<Record<string, { repository: string; versions: string }>>
}

export interface SourceSettings {
  kubernetes: {
    /** A path; null for the account of the pod that this process runs in. */
    kubeconfig: string | null
    environments: readonly {
      name: string
      context: string | null
      namespaces: readonly string[]
      argocdNamespace: string | null
      actions: readonly string[]
      impersonateGroup: string | null
      podLogs: boolean
      verification: { settleSeconds: number; holdSeconds: number; withinSeconds: number }
    }[]
  } | null
  prometheus: readonly (ServerSettings & {
    scrapeSeconds: number
    names: {
      serviceLabel: string
      match: Readonly<Record<string, string>>
      requests: string
      statusLabel: string
      duration: string
      queries: Readonly<Partial<Record<(typeof METRICS)[number], string>>>
    }
  })[]
  loki: readonly (ServerSettings & { serviceLabel: string; match: Readonly<Record<string, string>> })[]
  jaeger: readonly ServerSettings[]
  tempo: readonly (ServerSettings & { match: Readonly<Record<string, string>> })[]
  github: readonly (ForgeSettings & {
    repositories: Readonly<Record<string, { repository: string; versions: string; manifests: string | null }>>
    writeToken: string | null
    actions: readonly string[]
  })[]
  gitlab: readonly ForgeSettings[]
  alertmanager: readonly Pick<ServerSettings, 'environment' | 'url' | 'token'>[]
  mcp: readonly (Pick<ServerSettings, 'environment' | 'url' | 'token'> & {
    name: string
    data: DataKind
    workspaces: readonly string[]
    tools: readonly { name: string; modelName: string; sha256: string }[]
  })[]
}

const NO_SOURCES: SourceSettings = {
  kubernetes: null,
  prometheus: [],
  loki: [],
  jaeger: [],
  tempo: [],
  github: [],
  gitlab: [],
  alertmanager: [],
  mcp: [],
}
/** Where a server is named by the environment alone, and nothing says what it tells of. */
const DEFAULT_ENVIRONMENT = 'production'
const SCRAPE_SECONDS = 15
const VERIFICATION = { settleSeconds: 30, holdSeconds: 60, withinSeconds: 600 }

/** Variables are those that the vendors' own tools know; a variable stands for the first server in the file, a token as much as an address. */
export function readSources(read: EnvironmentReader, file: SourcesFile, { databaseUrl }: { databaseUrl: string | null }): SourceSettings {
  const prometheus = serversOf(read, 'PROMETHEUS', file.prometheus ?? [])
  const loki = serversOf(read, 'LOKI', file.loki ?? [])
  const kubeconfig = read.text('KUBECONFIG')
  const kubernetes = kubernetesOf(read, file.kubernetes, kubeconfig, databaseUrl)
  return {
    ...NO_SOURCES,
    kubernetes,
    prometheus: prometheus.map(({ each, server: common }) => ({
      ...common,
      scrapeSeconds: each.scrapeSeconds ?? SCRAPE_SECONDS,
      names: {
        serviceLabel: each.serviceLabel ?? 'service',
        match: each.match ?? {},
        requests: each.requests ?? 'http_requests_total',
        statusLabel: each.statusLabel ?? 'status',
        duration: each.duration ?? 'http_request_duration_seconds',
        queries: each.queries ?? {},
      },
    })),
    loki: loki.map(({ each, server: common }) => ({ ...common, serviceLabel: each.serviceLabel ?? 'app', match: each.match ?? {} })),
    jaeger: serversOf(read, 'JAEGER', file.jaeger ?? []).map(({ server: common }) => common),
    tempo: serversOf(read, 'TEMPO', file.tempo ?? []).map(({ each, server: common }) => ({ ...common, match: each.match ?? {} })),
    github: githubsOf(read, file.github ?? [], databaseUrl),
    gitlab: forgesOf(read, 'gitlab', { usual: PUBLIC_GITLAB, inFile: file.gitlab ?? [] }),
    alertmanager: alertmanagersOf(read, file.alertmanager ?? [], databaseUrl),
    mcp: outsideServersOf(read, file.mcp ?? []),
  }
}

/** A token in the environment may be there for other programs: alone it reads nothing. */
function forgesOf(
  read: EnvironmentReader,
  vendor: 'github' | 'gitlab',
  { usual, inFile }: { usual: string; inFile: readonly z.infer<typeof gitlabSchema>[] },
): ForgeSettings[] {
  const variable = read.secret(`${vendor.toUpperCase()}_TOKEN`)
  return inFile.map(({ environment, url: address, tokenFile, repositories }, index) => {
    const ofFile = tokenFile === undefined ? undefined : read.secretIn(`${vendor}[${index}].tokenFile`, tokenFile)
    return {
      environment: environment ?? DEFAULT_ENVIRONMENT,
      url: (address ?? usual).replace(/\/+$/, ''),
      token: (index === 0 ? variable : undefined) ?? ofFile ?? null,
      repositories: Object.fromEntries(
        Object.entries(repositories).map(([service, { repository, versions = '{version}' }]) => [service, { repository, versions }]),
      ),
    }
  })
}

function githubsOf(
  read: EnvironmentReader,
  inFile: NonNullable<SourcesFile['github']>,
  databaseUrl: string | null,
): SourceSettings['github'] {
  const variable = read.secret('GITHUB_WRITE_TOKEN')
  const acts = inFile.filter(({ actions = [] }) => actions.length > 0)
  if (databaseUrl === null && acts.some(({ acceptEmbeddedDatabase }) => acceptEmbeddedDatabase !== true))
    read.problems.push(
      'github names actions, and there is no DATABASE_URL: the embedded database may lose what it wrote last in a power cut. Set DATABASE_URL, or accept that with acceptEmbeddedDatabase: true of each.',
    )
  return forgesOf(read, 'github', { usual: PUBLIC_GITHUB, inFile }).map((forge, index) => {
    const { actions = [], writeTokenFile, repositories = {} } = inFile[index] ?? {}
    const ofFile = writeTokenFile === undefined ? undefined : read.secretIn(`github[${index}].writeTokenFile`, writeTokenFile)
    const writeToken = (index === 0 ? variable : undefined) ?? ofFile ?? null
    if (writeToken !== null && writeToken === forge.token)
      read.problems.push(`github[${index}]: one token reads and writes. Give it two, so that what reads cannot write.`)
    return {
      ...forge,
      writeToken,
      actions: actions.map((action) => `github.${action}`),
      repositories: Object.fromEntries(
        Object.entries(forge.repositories).map(([service, each]) => [
          service,
          { ...each, manifests: repositories[service]?.manifests ?? null },
        ]),
      ),
    }
  })
}

/** The address stands in the file alone: what is asked in the name of a review is what was reviewed. */
function outsideServersOf(read: EnvironmentReader, inFile: NonNullable<SourcesFile['mcp']>): SourceSettings['mcp'] {
  const first = read.secret('MCP_TOKEN')
  const names = inFile.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) read.problems.push(`mcp: "${twice}" is there twice.`)
  return inFile.map(({ name, environment = DEFAULT_ENVIRONMENT, url: address, tokenFile, data, workspaces = [], tools }, index) => {
    const ofFile = tokenFile === undefined ? undefined : read.secretIn(`mcp[${index}].tokenFile`, tokenFile)
    const pins = tools.map((tool) => ({ ...tool, modelName: modelNameOf(name, tool.name) }))
    const same = pins.find((pin, at) => pins.findIndex(({ modelName }) => modelName === pin.modelName) < at)
    if (same) read.problems.push(`mcp[${index}].tools: "${same.name}" would have the name of another for a model: keep one of them.`)
    return { name, environment, url: address, token: (index === 0 ? first : undefined) ?? ofFile ?? null, data, workspaces, tools: pins }
  })
}

/** Ours, whatever theirs is: none of our own begins so, and a provider takes it. */
function modelNameOf(server: string, tool: string): string {
  return `mcp_${server}_${tool.replace(/[^a-zA-Z0-9_-]/g, '_')}`.slice(0, 64)
}

/** Each environment has one: at which of two an alert fires, nobody could tell. */
function alertmanagersOf(
  read: EnvironmentReader,
  inFile: NonNullable<SourcesFile['alertmanager']>,
  databaseUrl: string | null,
): SourceSettings['alertmanager'] {
  // An address in the environment may be there for other programs: alone it allows nothing.
  if (inFile.length === 0) return []
  const servers = serversOf(read, 'ALERTMANAGER', inFile)
  const names = servers.map(({ server: { environment } }) => environment)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) read.problems.push(`alertmanager: "${twice}" is there twice.`)
  if (databaseUrl === null && servers.some(({ each }) => each.acceptEmbeddedDatabase !== true))
    read.problems.push(
      'alertmanager is named, and there is no DATABASE_URL: the embedded database may lose what it wrote last in a power cut. Set DATABASE_URL, or accept that with acceptEmbeddedDatabase: true of each.',
    )
  return servers.map(({ server: { environment, url: address, token } }) => ({ environment, url: address, token }))
}

/** Nothing is reached unless namespaces are named: a kubeconfig alone may belong to whoever started this. */
function kubernetesOf(
  read: EnvironmentReader,
  file: SourcesFile['kubernetes'],
  variable: string | undefined,
  databaseUrl: string | null,
): SourceSettings['kubernetes'] {
  if (!file?.environments || file.environments.length === 0) {
    if (file) read.problems.push('kubernetes.environments is missing: name an environment and its namespaces.')
    return null
  }
  const names = file.environments.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) read.problems.push(`kubernetes.environments: "${twice}" is there twice.`)
  for (const { name, argocdNamespace, actions = [] } of file.environments)
    if (argocdNamespace === undefined && ARGO_ACTIONS.some((action) => actions.includes(action)))
      read.problems.push(`kubernetes.environments: "${name}" names actions of Argo CD and no argocdNamespace.`)
  const acts = file.environments.some(({ actions = [] }) => actions.length > 0)
  if (acts && databaseUrl === null && file.acceptEmbeddedDatabase !== true)
    read.problems.push(
      'kubernetes.environments name actions, and there is no DATABASE_URL: the embedded database may lose what it wrote last in a power cut. Set DATABASE_URL, or accept that with kubernetes.acceptEmbeddedDatabase: true.',
    )
  return {
    kubeconfig: file.kubeconfig ?? variable ?? null,
    environments: file.environments.map((each) => ({
      name: each.name,
      context: each.context ?? null,
      namespaces: [...new Set(each.namespaces)],
      argocdNamespace: each.argocdNamespace ?? null,
      actions: (each.actions ?? []).map((action) => `kubernetes.${action}`),
      impersonateGroup: each.impersonateGroup ?? null,
      podLogs: each.podLogs ?? true,
      verification: {
        settleSeconds: each.verification?.settleSeconds ?? VERIFICATION.settleSeconds,
        holdSeconds: each.verification?.holdSeconds ?? VERIFICATION.holdSeconds,
        withinSeconds: each.verification?.withinSeconds ?? VERIFICATION.withinSeconds,
      },
    })),
  }
}

type FileServer = Partial<z.infer<typeof jaegerSchema>> & { namespaces?: string[] | undefined }

function serversOf<T extends FileServer>(
  read: EnvironmentReader,
  vendor: string,
  inFile: readonly T[],
): { each: T | Partial<T>; server: ServerSettings }[] {
  const variable = urlOf(read, `${vendor}_URL`)
  const token = read.secret(`${vendor}_TOKEN`)
  const given: (T | Partial<T>)[] = variable !== undefined && inFile.length === 0 ? [{}] : [...inFile]
  return given.flatMap((each, index) => {
    const address = (index === 0 ? variable : undefined) ?? each.url
    if (address === undefined) {
      read.problems.push(`${vendor.toLowerCase()}[${index}].url is missing${index === 0 ? ` (or ${vendor}_URL)` : ''}.`)
      return []
    }
    const ofFile = each.tokenFile === undefined ? undefined : read.secretIn(`${vendor.toLowerCase()}[${index}].tokenFile`, each.tokenFile)
    const common = {
      environment: each.environment ?? DEFAULT_ENVIRONMENT,
      url: address.replace(/\/+$/, ''),
      linkUrl: each.linkUrl?.replace(/\/+$/, '') ?? null,
      token: (index === 0 ? token : undefined) ?? ofFile ?? null,
      tenant: each.tenant ?? null,
      namespaces: each.namespaces ?? [],
    }
    return [{ each, server: common }]
  })
}

function urlOf(read: EnvironmentReader, name: string): string | undefined {
  const given = read.text(name)
  const isAddress = given === undefined || (/^https?:/i.test(given) && URL.canParse(given) && given.length <= 500)
  if (isAddress && (given === undefined || !hasAccount(given))) return given
  // Never with the value: there may be a password in it.
  read.problems.push(`${name} ${isAddress ? ACCOUNT_IN_ADDRESS : 'must be an address that begins with http:// or https://'}.`)
  return undefined
}
