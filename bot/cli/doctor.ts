import type { Located } from '../../agent/domain/workspace.ts'
import type { CheckResult } from '../../integrations/contract.ts'
import { checksSchema, placesSchema } from '../api/admin.ts'
import { reportSchema } from '../api/audit.ts'
import { modeSchema } from '../api/system.ts'
import { ConfigError, exposureProblem, type Settings } from '../config.ts'
import { mayUseNames } from '../configured-people.ts'
import { createLog } from '../log.ts'
import { createApp, examineChats, policyProblems, VERSION } from '../main.ts'
import { migrationsToRun } from '../offline.ts'
import { createIdentityProvider } from '../oidc/provider.ts'
import { HttpProblem } from '../problem.ts'
import { type ApiClient, RefusedCall } from './api-client.ts'
import type { CliCommand } from './command.ts'
import { CommandFailed } from './failure.ts'
import { improvements } from './improvements.ts'
import { operatorOf, toldOnHost } from './on-host.ts'
import { addressOf, runningServer, widestKey, workspacesOf } from './server-at.ts'
import { withProgress } from './terminal.ts'
import { examineWorkspaces } from './workspace-check.ts'

const MARKS = { ok: '✓', warning: '!', failed: '✗' } as const

export const doctorCommand: CliCommand = {
  name: 'doctor',
  usage: 'doctor [--json]',
  summary: 'says what is configured, what is missing and how to fix it',
  details: ['Changes nothing. Exits 1 when something keeps Steadyhand from working.'],
  options: { json: { type: 'boolean' } },
  async run({ terminal, settings, options, now }) {
    const results = await withProgress(terminal, 'looking', now, () => examine(settings, now))
    if (options['json']) terminal.say(JSON.stringify(results))
    else
      for (const { name, status, words, fix } of results)
        terminal.say(`${MARKS[status]} ${name}: ${words}${fix === null ? '' : `\n    → ${fix}`}`)
    const failed = results.filter(({ status }) => status === 'failed')
    if (failed.length > 0)
      throw new CommandFailed(
        `${failed.length} of ${results.length} checks failed; the first: ${failed[0]?.name}. ${failed[0]?.fix ?? ''}`.trim(),
      )
    return 0
  },
}

/** Everything that can be checked with these settings, in the order in which a start would run into it. */
async function examine(read: () => Settings, now: () => Date): Promise<CheckResult[]> {
  let settings: Settings
  try {
    settings = read()
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    return error.problems.map((problem) => failed('settings', problem, 'Correct the settings and run doctor again.'))
  }
  const server = await runningServer(settings)
  const parts = [
    [
      ok('version', `${VERSION} on Node ${process.versions.node}`),
      ok('settings', settings.file ?? 'no settings file; defaults and environment'),
    ],
    exposure(settings),
    await signIn(settings, now),
    await examineChats(settings, createLog({ level: 'silent' })),
    policy(settings),
    models(settings),
    heartbeats(settings),
    traces(settings),
    server ? await examineServer(server, settings) : await examineDatabase(settings),
    improvements(settings).map((line) => ({
      name: line.slice(0, line.indexOf(':')).toLowerCase(),
      status: 'warning' as const,
      words: line.slice(line.indexOf(':') + 2),
      fix: null,
    })),
  ]
  return parts.flat()
}

function exposure(settings: Settings): CheckResult[] {
  const problem = exposureProblem(settings)
  if (problem !== null) return [failed('address', problem, 'Set the tokens, or leave HOST at 127.0.0.1.')]
  return [ok('address', `${addressOf(settings)}${settings.publicUrl === null ? '' : `, reached as ${settings.publicUrl}`}`)]
}

async function signIn(settings: Settings, now: () => Date): Promise<CheckResult[]> {
  const { oidc, people } = settings
  if (oidc === null) {
    if (mayUseNames(settings, [])) return [ok('sign-in', 'by name, on this machine, while only the local target can be acted on')]
    return [
      warning(
        'sign-in',
        'nobody can sign in to the console, so nobody can vote there',
        'Set OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET: see docs/sign-in.md.',
      ),
    ]
  }
  const linked = people.filter(({ links }) => links.some(({ surface, tenant }) => surface === 'console' && tenant === oidc.issuer)).length
  const who =
    linked > 0
      ? ok('sign-in', `at ${oidc.issuer}, with ${linked} of ${people.length} people linked`)
      : warning(
          'sign-in',
          `at ${oidc.issuer}, and nobody is linked`,
          `Give people a link { surface: console, tenant: ${oidc.issuer}, id: … }.`,
        )
  try {
    await createIdentityProvider({ settings: oidc, now, log: { warn: () => {} } }).reach()
    return [who, ok('identity provider', 'describes itself as it should')]
  } catch (error) {
    if (!(error instanceof HttpProblem)) throw error
    return [who, failed('identity provider', error.message, 'Check OIDC_ISSUER, and that this machine reaches it.')]
  }
}

function policy(settings: Settings): CheckResult[] {
  const problems = policyProblems(settings)
  if (problems.length === 0) return [ok('policy', settings.policyFile ?? 'the built-in one')]
  return [failed('policy', problems.join('; '), 'Until it can be read Steadyhand only observes. Correct the file and start again.')]
}

/** What would leave this machine, and for whom. */
function models({ models: { providers } }: Settings): CheckResult[] {
  if (providers.length === 0) return [ok('model', 'none: rules diagnose, and nothing is told to a provider of models')]
  return providers.map(({ id, baseUrl, model, tells, masks }, i) => {
    const told = tells.length === 0 ? 'nothing' : tells.join(', ')
    const where = baseUrl === null ? '' : ` at ${new URL(baseUrl).host}`
    const words = `${model ?? 'the default model'} of ${id}${where} is asked ${i === 0 ? 'first' : 'next'}, and told ${told} of incidents and what rules say of them, ${['secrets', ...masks].join(', ')} masked`
    return tells.length === 0 ? warning('model', words, 'Name kinds of data in "tells", or take its key away.') : ok('model', words)
  })
}

/** What is missed when it no longer comes, and who would miss this installation. The address of the latter is a secret. */
function heartbeats({ heartbeats: { expected, url, everySeconds } }: Settings): CheckResult[] {
  const others = expected.map(({ name, alert, withinSeconds }) =>
    ok('alerting path', `people are told when ${alert} of ${name} is not heard for ${withinSeconds} s`),
  )
  const own = url === null ? [] : [ok('own heartbeat', `${new URL(url).host} is called every ${everySeconds} s while actions would run`)]
  return [...others, ...own]
}

function traces({ traces: told }: Settings): CheckResult[] {
  if (told === null) return []
  return [ok('traces', `ids and kinds of what is done leave this machine for ${new URL(told.endpoint).host}; no text of alerts or logs`)]
}

export async function examineServer(server: ApiClient, settings: Settings): Promise<CheckResult[]> {
  const operator = await operatorOf(settings)
  const asked = operator === null ? askedWords(settings) : 'asked by its operator, who is told everything'
  const answers = await askServer({ operator, server })
  if (answers === null)
    return [
      failed(
        'server',
        `runs at ${server.url} and refuses what it was ${asked}`,
        'Run doctor with the settings and variables of the server.',
      ),
    ]
  const { mode, reasons, report } = answers
  return [
    ok('server', `runs at ${server.url}, ${asked}`),
    modeResult(mode, reasons),
    auditResult(report.ok, report.violations, report.entries),
    ...(await checksBy(operator, settings)),
    ...examineWorkspaces(settings, await placesBy(operator)),
  ]
}

async function examineDatabase(settings: Settings): Promise<CheckResult[]> {
  const log = createLog({ level: 'silent' })
  try {
    const pending = await migrationsToRun(settings, log)
    if (pending === null) return [ok('database', `none yet in ${settings.dataDir}; the first start creates it`)]
    if (pending.length > 0)
      return [
        warning('database', `misses ${pending.join(', ')}`, 'The next start brings it to the newest schema, or "steadyhand migrate" now.'),
      ]
    const app = await createApp(settings, log, { inspect: true })
    try {
      const report = await app.agent.verifyAudit()
      const mode = await app.agent.mode()
      const integrations = await Promise.all(app.integrations.map((each) => each.check()))
      const services = await app.agent.services()
      const where = settings.databaseUrl === null ? `embedded, in ${settings.dataDir}` : 'PostgreSQL'
      return [
        ok('database', `${where}; the schema is the newest`),
        modeResult(mode.mode, mode.mode === 'observe' ? mode.reasons : []),
        auditResult(report.ok, report.violations, report.entries),
        ...integrations.flat(),
        ...examineWorkspaces(settings, placesOf(services.items)),
      ]
    } finally {
      await app.close()
    }
  } catch (error) {
    return [
      failed(
        'database',
        error instanceof Error ? error.message : String(error),
        'See the words above; nothing can be stored until it is well.',
      ),
    ]
  }
}

/** Null when the server has other keys than these settings. */
async function askServer(ways: { operator: ApiClient | null; server: ApiClient }) {
  try {
    const mode = await toldOnHost(ways, '/mode', modeSchema)
    return { ...mode, report: await toldOnHost(ways, '/audit/verify', reportSchema) }
  } catch (error) {
    if (error instanceof RefusedCall && error.problem.status === 401) return null
    throw error
  }
}

/** As whom the server is asked, and how much of it whoever asks so sees. */
export function askedWords(settings: Pick<Settings, 'api' | 'workspaces'>): string {
  const key = widestKey(settings)
  if (key === null) return 'asked without a key'
  const { keys } = settings.api
  const name =
    key.name === null
      ? `the key without a name${keys.length > 1 ? ` (number ${keys.indexOf(key) + 1} of ${keys.length})` : ''}`
      : `the key "${key.name}"`
  if (settings.workspaces.length === 0) return `asked with ${name}`
  const own = workspacesOf(key, settings.workspaces).map((workspace) => workspace.name)
  return `asked with ${name}, which sees ${own.length === 0 ? 'no workspace' : `the workspace${own.length > 1 ? 's' : ''} ${own.join(', ')}`}: what is not theirs is not in its answers`
}

/** None where only another user could read them; what the settings say is checked all the same. */
async function placesBy(operator: ApiClient | null): Promise<Located[]> {
  return operator === null ? [] : (await operator.call('GET', '/api/v1/admin/services', placesSchema)).items
}

/** By the server itself: what it reaches, and with which rights, is seen from nowhere else. */
async function checksBy(operator: ApiClient | null, { dataDir }: Settings): Promise<CheckResult[]> {
  if (operator !== null) return (await operator.call('GET', '/api/v1/admin/checks', checksSchema)).items
  return [
    warning(
      'targets and sources',
      `not checked: the secret of the server in ${dataDir} cannot be read, or is another server's`,
      'Run doctor as the user of the server, with its STEADYHAND_DATA_DIR, or while it does not run.',
    ),
  ]
}

function placesOf(services: readonly { name: string; environment: string }[]): Located[] {
  return services.map(({ name, environment }) => ({ service: name, environment }))
}

function modeResult(mode: 'act' | 'observe', reasons: readonly string[]): CheckResult {
  if (mode === 'act') return ok('mode', 'may act, after the click of somebody who may')
  return failed('mode', `only observes: ${reasons.join('; ')}`, 'Until this is mended Steadyhand explains and runs nothing.')
}

function auditResult(isWell: boolean, violations: readonly string[], entries: number): CheckResult {
  if (isWell) return ok('audit', `${entries} entries, no violations`)
  return failed('audit', violations.join('; '), 'Run "steadyhand audit verify" and look at each before anything runs.')
}

function ok(name: string, words: string): CheckResult {
  return { name, status: 'ok', words, fix: null }
}

function warning(name: string, words: string, fix: string): CheckResult {
  return { name, status: 'warning', words, fix }
}

function failed(name: string, words: string, fix: string): CheckResult {
  return { name, status: 'failed', words, fix }
}
