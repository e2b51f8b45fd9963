import { existsSync, readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { nearest } from '../agent/domain/nearest.ts'
import type { IdentityLink, Role } from '../agent/domain/principal.ts'
import type { Slo } from '../agent/domain/slo.ts'
import type { Workspace } from '../agent/domain/workspace.ts'
import { type HeartbeatSettings, readHeartbeats } from './config/heartbeat-settings.ts'
import { type ModelsSettings, modelVariables, readModelsSettings, unusedModelSettings } from './config/model-settings.ts'
import { createEnvironmentReader, type Environment, type EnvironmentReader, type VariableWords } from './config/secrets.ts'
import { parseSettings, type SettingsFile, SHORTEST_TOKEN } from './config/settings-file.ts'
import { readSlos, sloProblems } from './config/slo-settings.ts'
import { readSources, type SourceSettings, sourceVariables } from './config/sources.ts'
import { readerProblems, readWorkspaces, workspaceProblems } from './config/workspace-settings.ts'
import { type OidcSettings, readOidcSettings } from './oidc/settings.ts'
import { readSlackSettings, type SlackSettings, slackProblems, slackVariables, unusedSlackSettings } from './slack/settings.ts'
import { readTraceSettings, type TraceSettings, traceVariables } from './traces/settings.ts'

/** The environment of the target that needs nothing, and the tenant of the console's named people. */
export const LOCAL = 'local'

const DEFAULT_PORT = 7878
/** What the names of this product's own variables begin with. */
const OWN = ['STEADYHAND_', 'OIDC_']
/** Names that are ours without saying so. */
const PLAIN = ['HOST', 'PORT', 'HEALTH_PORT', 'LOG_LEVEL', 'LOG_FORMAT', 'DATABASE_URL', 'DATABASE_URL_FILE']
/** A blank secret must never verify anything. */
const NEVER_BLANK = [...OWN, 'SLACK_']
const DEFAULT_FILE = 'steadyhand.yaml'
const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const
const LOG_FORMATS = ['json', 'words'] as const

/** Variables that stand for no key of the file, or for more than their key says. Those of keys have their words there. */
export const VARIABLES: VariableWords = {
  STEADYHAND_CONFIG: { words: 'The settings file; without it steadyhand.yaml where it is started, if there is one.' },
  STEADYHAND_AUDIT_KEY: {
    words: 'The Ed25519 private key (PEM) that signs exports of the audit log; without it audit-key.pem in the data directory.',
    secret: true,
  },
  STEADYHAND_API_KEYS: { words: 'Keys of programs, KEY or NAME:KEY each, separated by commas.', secret: true, key: 'api.keys' },
  STEADYHAND_WEBHOOK_TOKEN: { words: 'What senders of alerts and changes present.', secret: true, key: 'webhooks.token' },
  STEADYHAND_HEARTBEAT_URL: { words: 'What is called while approved actions would run.', secret: true, key: 'heartbeats.url' },
  DATABASE_URL: { words: 'A PostgreSQL server; each process of start --role has its own login.', secret: true, key: 'databaseUrl' },
  OIDC_CLIENT_SECRET: { words: 'What it proves itself with at the identity provider.', secret: true, key: 'oidc.clientSecret' },
  ...slackVariables,
  ...modelVariables,
  ...sourceVariables,
  ...traceVariables,
}

/** Everything that can be set, after defaults. Paths are absolute; nothing is blank. */
export interface Settings {
  /** The file the settings came from; null when there is none. */
  file: string | null
  host: string
  /** 0 lets the system choose. */
  port: number
  /** A port for probes and scrapers alone; null: none. */
  healthPort: number | null
  /** The address people reach the server at, when it is not the one it listens on; without a slash at its end. */
  publicUrl: string | null
  /** More names the server is reached by, for the check of the Host header. */
  hosts: readonly string[]
  /** Where the effect journal and, without a server, the database live. */
  dataDir: string
  /** A PostgreSQL server; null means the embedded database in the data directory. */
  databaseUrl: string | null
  policyFile: string | null
  /** A team's own runbooks, beside those that come with the product; null when it has none. */
  runbooks: { folder: string | null }
  people: readonly ConfiguredPerson[]
  /** False while the three people of an unconfigured console stand in. */
  peopleConfigured: boolean
  api: { keys: readonly ApiKey[] }
  /** None: everybody sees everything. */
  workspaces: readonly Workspace[]
  /** What services promise; how fast it is broken is watched. */
  slos: readonly Slo[]
  webhooks: { token: string | null; perSecond: number; burst: number }
  /** Where people sign in; null means by name, on this machine only. */
  oidc: OidcSettings | null
  slack: SlackSettings
  models: ModelsSettings
  /** Alerts that fire always and are missed, and what is called while this installation is well. */
  heartbeats: HeartbeatSettings
  /** Where traces of our own work go; null: nowhere. */
  traces: TraceSettings | null
  local: { enabled: boolean }
  /** Where evidence comes from beyond the local target, and what else may be acted on. */
  sources: SourceSettings
  /** How long what is kept; what is not set is the storage's own default. */
  retention: SettingsFile['retention']
  /** The private key that signs exports of the audit log, as PEM; null for the one in the data directory. */
  audit: { key: string | null }
  /** Null: by whether a person reads along. */
  log: { level: (typeof LOG_LEVELS)[number] | null; format: (typeof LOG_FORMATS)[number] | null }
  /** The files all this came from: the settings file, and those that hold a secret. */
  files: readonly string[]
  /** What is set and has no effect, one sentence each. */
  unused: readonly string[]
  /** Where a test wants the process to die: 'C11:2' is the second visit to C11. */
  crash: string | null
}

export interface ConfiguredPerson {
  id: string
  name: string
  roles: readonly Role[]
  /** Null: every environment there is. */
  environments: readonly string[] | null
  links: readonly Omit<IdentityLink, 'principalId'>[]
}

/** Of a program. One without a name belongs to no workspace. */
export interface ApiKey {
  name: string | null
  key: string
}

/** What a program may present: its key, also as it is written in the settings, as which it was given before keys had names. */
export function formsOf({ name, key }: ApiKey): string[] {
  return name === null ? [key] : [key, `${name}:${key}`]
}

/** Settings that cannot be used. The message holds every problem, one a line. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]
  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.problems = problems
  }
}

const UNCONFIGURED_PEOPLE: readonly ConfiguredPerson[] = [
  { id: 'alice', name: 'Alice', roles: ['approver'], environments: [LOCAL], links: [] },
  { id: 'carol', name: 'Carol', roles: ['approver'], environments: [LOCAL], links: [] },
  { id: 'bob', name: 'Bob', roles: ['viewer'], environments: [LOCAL], links: [] },
]

/**
 * Reads the settings: the environment before the file, the file before the defaults.
 * @throws ConfigError with every problem at once
 */
export function loadConfig(environment: Environment = process.env, folder: string = process.cwd()): Settings {
  const isOurs = (name: string): boolean => PLAIN.includes(name) || NEVER_BLANK.some((beginning) => name.startsWith(beginning))
  const read = createEnvironmentReader(environment, (path) => readFileSync(path, 'utf8'), isOurs)
  const { path, file, problems } = readSettingsFile(read, folder)
  const settings = merge(read, file, path, folder)
  const all = [
    ...problems,
    ...read.problems,
    ...misspelled(read),
    ...repeated(settings.people),
    ...weakTokens(settings),
    ...sharedKeys(settings.api.keys),
    ...(settings.healthPort !== null && settings.healthPort !== 0 && settings.healthPort === settings.port
      ? [`healthPort (or HEALTH_PORT) is ${settings.port}, where people are served: choose another.`]
      : []),
    ...signInProblems(settings),
    ...slackProblems(settings.slack),
    ...workspaceProblems(settings.workspaces, settings.api.keys),
    ...readerProblems(settings.workspaces, settings.sources.mcp),
    ...sloProblems(settings.slos),
  ]
  if (all.length > 0) throw new ConfigError(all)
  return settings
}

/** Whether only this machine can reach an address. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/**
 * What lets other machines reach the server, in words; null when only this one can. A name of its own, given by `publicUrl` or `hosts`, means
 * that a proxy stands before it, and then it is not alone on the loopback address either.
 */
export function exposure({ host, publicUrl, hosts }: Pick<Settings, 'host' | 'publicUrl' | 'hosts'>): string | null {
  if (!isLoopback(host)) return `HOST is ${host}`
  if (publicUrl !== null && !isLoopback(bare(new URL(publicUrl).hostname))) return `publicUrl is ${publicUrl}`
  const name = hosts.find((each) => !isLoopback(bare(each)))
  return name === undefined ? null : `hosts names ${name}`
}

/** Why the server must not start where other machines can reach it, and what to do; null when it may. */
export function exposureProblem(settings: Settings): string | null {
  const exposed = exposure(settings)
  if (exposed === null) return null
  const missing = [
    ...(settings.api.keys.length === 0 ? ['api.keys (or STEADYHAND_API_KEYS)'] : []),
    ...(settings.webhooks.token === null ? ['webhooks.token (or STEADYHAND_WEBHOOK_TOKEN)'] : []),
  ]
  if (missing.length === 0) return null
  const instead = isLoopback(settings.host) ? 'take that setting away' : 'leave HOST at 127.0.0.1'
  return `${exposed}, which other machines can reach, and there is no ${missing.join(' and no ')}. Set ${missing.length === 1 ? 'it' : 'both'}, or ${instead}.`
}

function bare(host: string): string {
  return host.toLowerCase().replace(/^\[(.*)\]$/, '$1')
}

function readSettingsFile(read: EnvironmentReader, folder: string): { path: string | null; file: SettingsFile; problems: string[] } {
  const named = read.text('STEADYHAND_CONFIG')
  const path = resolve(folder, named ?? DEFAULT_FILE)
  const empty: SettingsFile = {}
  if (named === undefined && !existsSync(path)) return { path: null, file: empty, problems: [] }
  try {
    const { settings, problems } = parseSettings(readFileSync(path, 'utf8'))
    return {
      path,
      file: settings ?? empty,
      problems: problems.map(({ line, words }) => `${path}${line === null ? '' : `:${line}`}: ${words}`),
    }
  } catch (error) {
    return { path, file: empty, problems: [`${path} cannot be read (${error instanceof Error ? error.message : String(error)}).`] }
  }
}

function merge(read: EnvironmentReader, file: SettingsFile, path: string | null, folder: string): Settings {
  const inFolder = (value: string) => (isAbsolute(value) ? value : resolve(folder, value))
  const policy = read.text('STEADYHAND_POLICY') ?? file.policy
  const runbooks = read.text('STEADYHAND_RUNBOOKS') ?? file.runbooks?.folder
  const keys = read.secret('STEADYHAND_API_KEYS')
  const slack = readSlackSettings(read, file.slack)
  const oidc = readOidcSettings(read, file.oidc)
  const models = readModelsSettings(read, file.models)
  const databaseUrl = read.secret('DATABASE_URL') ?? file.databaseUrl ?? null
  return {
    file: path,
    host: read.text('HOST') ?? file.host ?? '127.0.0.1',
    port: portOf(read, 'PORT') ?? file.port ?? DEFAULT_PORT,
    healthPort: portOf(read, 'HEALTH_PORT') ?? file.healthPort ?? null,
    publicUrl: (publicUrlOf(read) ?? file.publicUrl)?.replace(/\/+$/, '') ?? null,
    hosts: file.hosts ?? [],
    dataDir: inFolder(read.text('STEADYHAND_DATA_DIR') ?? file.dataDir ?? 'data'),
    databaseUrl,
    policyFile: policy === undefined ? null : inFolder(policy),
    runbooks: { folder: runbooks === undefined ? null : inFolder(runbooks) },
    people: file.people?.map(personOf) ?? UNCONFIGURED_PEOPLE,
    peopleConfigured: file.people !== undefined,
    api: { keys: (keys?.split(',') ?? file.api?.keys ?? []).map(apiKeyOf) },
    workspaces: readWorkspaces(file.workspaces),
    slos: readSlos(file.slos),
    webhooks: {
      token: read.secret('STEADYHAND_WEBHOOK_TOKEN') ?? file.webhooks?.token ?? null,
      perSecond: file.webhooks?.perSecond ?? 500,
      burst: file.webhooks?.burst ?? 2_000,
    },
    oidc,
    slack,
    models,
    heartbeats: readHeartbeats(read, file.heartbeats),
    traces: readTraceSettings(read, file.traces),
    local: { enabled: file.local?.enabled ?? true },
    sources: readSources(read, file, { databaseUrl }),
    retention: file.retention,
    audit: { key: read.secret('STEADYHAND_AUDIT_KEY') ?? null },
    log: {
      level: oneOf(read, 'LOG_LEVEL', LOG_LEVELS) ?? file.log?.level ?? null,
      format: oneOf(read, 'LOG_FORMAT', LOG_FORMATS) ?? file.log?.format ?? null,
    },
    crash: read.text('STEADYHAND_TEST_CRASH') ?? null,
    files: [...(path === null ? [] : [path]), ...read.files],
    // The last line: by now every name that is known was asked for.
    unused: [...unknownVariables(read), ...unusedSlackSettings(slack), ...unusedModelSettings(models)],
  }
}

/** A slip in a name is a problem: whoever made it believes that the setting holds. Other names may be somebody else's. */
function misspelled(read: EnvironmentReader): string[] {
  return OWN.flatMap((beginning) => read.unknown(beginning)).flatMap(({ name, meant }) =>
    meant === null ? [] : [`${name} is no setting: did you mean ${meant}?`],
  )
}

function unknownVariables(read: EnvironmentReader): string[] {
  return OWN.flatMap((beginning) => read.unknown(beginning)).flatMap(({ name, meant }) =>
    meant === null ? [`${name} is set, and there is no such setting`] : [],
  )
}

function personOf(person: NonNullable<SettingsFile['people']>[number]): ConfiguredPerson {
  const links = person.links.map(({ surface, tenant, id }) => ({ surface, tenant, externalId: id }))
  return { id: person.id, name: person.name, roles: person.roles, environments: person.environments ?? null, links }
}

/** 'KEY', or 'NAME:KEY' for a program that is somebody. */
function apiKeyOf(text: string): ApiKey {
  const [, name, key] = /^([a-z0-9][a-z0-9._-]{0,63}):(.*)$/.exec(text.trim()) ?? []
  return name === undefined || key === undefined ? { name: null, key: text.trim() } : { name, key }
}

function portOf(read: EnvironmentReader, name: 'PORT' | 'HEALTH_PORT'): number | undefined {
  const text = read.text(name)
  if (text === undefined) return undefined
  if (/^\d{1,5}$/.test(text) && Number(text) <= 65_535) return Number(text)
  read.problems.push(`${name} is ${text}: it must be a whole number from 0 to 65535.`)
  return undefined
}

function publicUrlOf(read: EnvironmentReader): string | undefined {
  const text = read.text('STEADYHAND_PUBLIC_URL')
  if (text === undefined || (/^https?:/i.test(text) && URL.canParse(text))) return text
  read.problems.push(`STEADYHAND_PUBLIC_URL is ${text}: it must be an address that begins with http:// or https://.`)
  return undefined
}

function oneOf<Word extends string>(read: EnvironmentReader, name: string, known: readonly Word[]): Word | null {
  const text = read.text(name)
  if (text === undefined) return null
  const found = known.find((word) => word === text)
  if (found !== undefined) return found
  const meant = nearest(text, known)
  read.problems.push(`${name} is ${text}: it must be one of ${known.join(', ')}.${meant === null ? '' : ` Did you mean "${meant}"?`}`)
  return null
}

function weakTokens(settings: Settings): string[] {
  const given = [
    ...settings.api.keys.map(({ key }) => ['An API key', key] as const),
    ['The webhook token', settings.webhooks.token] as const,
  ]
  const weak = given.filter(([, secret]) => secret !== null && secret.length < SHORTEST_TOKEN)
  return weak.map(([what]) => `${what} is shorter than ${SHORTEST_TOKEN} characters: make one with "openssl rand -hex 32".`)
}

/** A key of two programs would be that of the first, without a word. */
function sharedKeys(keys: readonly ApiKey[]): string[] {
  const called = ({ name }: ApiKey): string => (name === null ? 'one without a name' : `"${name}"`)
  return keys.flatMap((one, index) =>
    keys
      .slice(index + 1)
      .filter((other) => other.name !== one.name && formsOf(other).some((form) => formsOf(one).includes(form)))
      .map((other) => `api.keys: ${called(one)} and ${called(other)} are the same key: give each program its own.`),
  )
}

/** Why people could not come back from the identity provider safely. */
function signInProblems(settings: Settings): string[] {
  if (settings.oidc === null) return []
  const { issuer } = settings.oidc
  const address = settings.publicUrl === null ? null : new URL(settings.publicUrl)
  const isClear = (url: URL): boolean => url.protocol === 'http:' && !isLoopback(bare(url.hostname))
  return [
    ...(isClear(new URL(issuer)) ? [`oidc.issuer is ${issuer}: by http it may be on this machine only; use https.`] : []),
    ...(address && isClear(address) ? [`publicUrl is ${settings.publicUrl}: with sign-in at an identity provider it must be https.`] : []),
    ...(address && address.pathname !== '/'
      ? [`publicUrl is ${settings.publicUrl}: with sign-in at an identity provider it must have no path.`]
      : []),
    ...(address === null && exposure(settings) !== null
      ? ['publicUrl (or STEADYHAND_PUBLIC_URL) is missing: the identity provider has to know where it sends people back to.']
      : []),
  ]
}

/** Two people of one id, or two people behind one account, would make quorum a guess. */
function repeated(people: readonly ConfiguredPerson[]): string[] {
  const problems: string[] = []
  const ids = new Set<string>()
  const accounts = new Map<string, string>()
  for (const person of people) {
    if (ids.has(person.id)) problems.push(`people: "${person.id}" is there twice.`)
    ids.add(person.id)
    for (const link of person.links) {
      const account = `${link.surface} ${link.tenant} ${link.externalId}`
      const other = accounts.get(account)
      if (other !== undefined) problems.push(`people: the account ${account} belongs to both ${other} and ${person.id}.`)
      if (link.surface === 'console' && link.tenant === LOCAL)
        problems.push(`people: ${person.id} has a link to the local console; those are made by the process itself.`)
      accounts.set(account, person.id)
    }
  }
  return problems
}
