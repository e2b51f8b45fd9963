import { z } from 'zod'
import type { SuccessContract, Target } from '../../../agent/domain/plan.ts'
import { IntegrationError } from '../../errors.ts'
import type { Sent } from '../../http.ts'
import type { Action, ActionDefinition, EffectResult, Parameters, Step } from '../../ports/action.ts'
import { areSame, isHeldBy, type Labels, labelsOf, MAX_TEXT, silenceField, textOf } from '../alert-labels.ts'
import { type AlertmanagerApi, type FiringAlert, ID, labelsOfSilence, matchersOf, type Silence } from '../api.ts'
import { placeOf } from '../webhook.ts'

export interface SilenceDeps {
  /** Where alerts may be silenced, by environment. */
  servers: ReadonlyMap<string, AlertmanagerApi>
  now: () => Date
}

const MINUTES = { least: 5, most: 240, usual: 60 }
/** A card shows no more of one value. */
const SHOWN_LINE = 190
const CREATED_BY = 'steadyhand'

const definition: ActionDefinition = {
  kind: 'alertmanager.silence',
  version: 1,
  description:
    'Silences one firing alert of the incident, by all of its labels, for 5 to 240 minutes. It mends nothing; to end it early is its undo, or done at Alertmanager.',
  parameters: z.strictObject({
    alert: z
      .string()
      .max(MAX_TEXT)
      .refine((text) => labelsOf(text) !== null, 'must be all labels of one alert: {"alertname":"…","service":"…"}'),
    minutes: z.int().min(MINUTES.least).max(MINUTES.most),
  }),
  reversibility: 'reversible',
  risk: 'caution',
  role: 'approver',
  minNeeded: 1,
  requesterMayApprove: false,
  stepUp: 'none',
  maxTtlSeconds: 1_800,
  minCooldownSeconds: 60,
  retry: 'never',
  probeHorizonSeconds: 30,
}

export function createSilence(deps: SilenceDeps): Action {
  return {
    definition,
    title: (target, parameters) => {
      const name = wantedOf(parameters)['alertname'] ?? ''
      return isEnd({ parameters })
        ? `End the silence of ${shortened(name)} of ${target.name}`
        : `Silence ${shortened(name)} of ${target.name} for ${String(parameters['minutes'])} minutes`
    },
    // It mends nothing: that an alert may be silent for a while is a person's idea.
    suggest: async () => null,
    ofAlert: (parameters) => wantedOf(parameters),
    async observe({ environment, name }, signal) {
      const server = deps.servers.get(environment)
      if (!server) return null
      const [alerts, silences] = await Promise.all([server.alerts(signal), server.silences(signal)])
      // A silence outlives its alert, and its undo has to find it all the same.
      const silenced = silences.filter(isOwn).map((each) => labelsOfSilence(each) ?? {})
      if (![...alerts.map(({ labels }) => labels), ...silenced].some((labels) => isOf(labels, { environment, name }))) return null
      // A service has no identity at Alertmanager: its name is all there is.
      const target = { provider: ID, environment, kind: 'Alerts', name, uid: name }
      return { target, preconditions: [{ field: 'uid', equals: name }], replicas: 0 }
    },
    async dryRun(step, signal) {
      const server = serverOf(deps, step.target)
      const lines = linesOf(wantedOf(step.parameters)).map((text, at) => ({
        field: at === 0 ? 'silence of alerts with' : 'and with',
        text,
      }))
      if (isEnd(step)) {
        if (ownOf(await server.silences(signal), step).length === 0)
          throw new IntegrationError(ID, 'refused', 'the silence is over already')
        return { changes: lines.map(({ field, text }) => ({ field, from: text, to: null })), downtime: 'none: the alert is told of again' }
      }
      const looked = await look(server, step, signal)
      if ('result' in looked) throw new IntegrationError(ID, 'refused', looked.words)
      const held = looked.alerts.filter(({ labels }) => isHeldBy(wantedOf(step.parameters), labels)).length
      const words = held === 1 ? 'one alert has these labels now' : `${held} alerts have these labels now`
      return {
        changes: lines.map(({ field, text }) => ({ field, from: null, to: text })),
        downtime: `none: ${words}; nobody is told meanwhile, however it gets worse, Steadyhand included`,
      }
    },
    success: (step) => {
      const weaker = 'It heals nothing by itself: only that the silence is active is checked, and the incident stays open.'
      return { ...contractOf(step, 'active'), weaker, heals: false }
    },
    probeWords: 'the comment of a silence holds the id of the execution that made it',
    undo: (step) => ({
      parameters: { alert: step.parameters['alert'] ?? null, minutes: 0, plan: step.planId },
      preconditions: [{ field: 'uid', equals: step.target.uid }],
      success: { ...contractOf(step, 'none'), weaker: 'An undo ends the silence: only that it is over is checked.' },
    }),
    async effect(step, executionId, signal) {
      const server = serverOf(deps, step.target)
      return isEnd(step) ? await expireOwn(server, step, signal) : await make(server, step, { executionId, now: deps.now() }, signal)
    },
    async probe(step, executionId, signal) {
      const silences = await serverOf(deps, step.target).silences(signal)
      const isDone = isEnd(step) ? ownOf(silences, step).length === 0 : silences.some((each) => isMarked(each, executionId))
      return isDone ? 'applied' : 'not-applied'
    },
    async readState(target, fields, signal) {
      const server = serverOf(deps, target)
      const active = (await server.silences(signal)).filter((each) => isOwn(each) && each.status.state === 'active')
      const known = new Set(active.map((each) => silenceField(labelsOfSilence(each) ?? {})))
      return Object.fromEntries(fields.map((field) => [field, field === 'uid' ? target.uid : known.has(field) ? 'active' : 'none']))
    },
    byHand: {
      async defaults(where) {
        const alerts = (await deps.servers.get(where.environment)?.alerts()) ?? []
        const [only, ...others] = ofService(alerts, where).filter(({ status }) => status.silencedBy.length === 0)
        return only && others.length === 0 ? { alert: textOf(only.labels), minutes: MINUTES.usual } : null
      },
      noDefaults: 'It has no alert that fires and is not silenced, or several: name one by all of its labels.',
      command: ({ target, parameters }) => amtool(deps.servers.get(target.environment)?.url ?? '', parameters),
    },
  }
}

type Objection = Extract<EffectResult, { result: 'refused' }>

/** What fires now, or why the alert is left alone. @throws IntegrationError when that is not known */
async function look(
  server: AlertmanagerApi,
  { target, parameters }: Step,
  signal?: AbortSignal,
): Promise<{ alerts: FiringAlert[] } | Objection> {
  const wanted = labelsOf(parameters['alert'])
  if (wanted === null) return { result: 'refused', reason: 'invalid', words: 'an alert is named by all of its labels' }
  const alerts = await server.alerts(signal)
  const alert = ofService(alerts, target).find(({ labels }) => areSame(labels, wanted))
  if (!alert) return { result: 'refused', reason: 'stale-target', words: `no alert of ${target.name} with exactly these labels fires now` }
  if (alert.status.silencedBy.length > 0) return { result: 'refused', reason: 'stale-target', words: 'the alert is silenced already' }
  return { alerts }
}

async function make(
  server: AlertmanagerApi,
  step: Step,
  by: { executionId: string; now: Date },
  signal: AbortSignal,
): Promise<EffectResult> {
  try {
    if ((await server.silences(signal)).some((each) => isMarked(each, by.executionId))) return { result: 'applied' }
    const looked = await look(server, step, signal)
    if ('result' in looked) return looked
  } catch (error) {
    // Reading changes nothing, so that whatever goes wrong there is a refusal.
    if (error instanceof IntegrationError) return refused(error, 'nothing was sent: ')
    throw error
  }
  const made = {
    matchers: matchersOf(wantedOf(step.parameters)),
    startsAt: by.now.toISOString(),
    endsAt: new Date(by.now.getTime() + Number(step.parameters['minutes']) * 60_000).toISOString(),
    createdBy: CREATED_BY,
    comment: `Steadyhand: execution ${by.executionId} of plan ${step.planId}, approved by a person`,
  }
  return endOf(await server.silence(made, signal))
}

/** Ends the silences that the plan made: one, or two where its one request was delivered twice on the way. */
async function expireOwn(server: AlertmanagerApi, step: Step, signal: AbortSignal): Promise<EffectResult> {
  for (const { id } of ownOf(await server.silences(signal), step)) {
    const sent = await server.expire(id, signal)
    // What is gone or over meanwhile is as it should be.
    if (!sent.done && sent.status !== 404) return endOf(sent)
  }
  return { result: 'applied' }
}

function endOf(sent: Sent<unknown>): EffectResult {
  if (sent.done) return { result: 'applied' }
  return sent.status >= 500 || sent.status === 408 ? { result: 'unknown', words: sent.error.message } : refused(sent.error, '')
}

function refused(error: IntegrationError, before: string): Objection {
  const isDenied = error.code === 'permission' || error.code === 'auth'
  return { result: 'refused', reason: isDenied ? 'permission-missing' : 'invalid', words: `${before}${error.message}` }
}

/** The step of an undo: it ends what the plan that it names made. */
function isEnd({ parameters }: Pick<Step, 'parameters'>): boolean {
  return parameters['minutes'] === 0
}

function isMarked({ createdBy, comment }: Silence, executionId: string): boolean {
  return createdBy === CREATED_BY && comment.includes(`execution ${executionId} `)
}

/** Made by Steadyhand, and not over. */
function isOwn({ createdBy, status }: Silence): boolean {
  return createdBy === CREATED_BY && status.state !== 'expired'
}

/** Of the plan that an undo names, those that are not over. */
function ownOf(silences: readonly Silence[], { parameters }: Step): Silence[] {
  const mark = `of plan ${String(parameters['plan'])},`
  return silences.filter((each) => isOwn(each) && each.comment.includes(mark))
}

function ofService(alerts: readonly FiringAlert[], where: Pick<Target, 'environment' | 'name'>): FiringAlert[] {
  return alerts.filter(({ labels }) => isOf(labels, where))
}

function isOf(labels: Labels, { environment, name }: Pick<Target, 'environment' | 'name'>): boolean {
  const place = placeOf(labels)
  return place.service === name && (place.environment === null || place.environment === environment)
}

function contractOf({ parameters }: Step, equals: 'active' | 'none'): Omit<SuccessContract, 'weaker'> {
  const state = [{ field: silenceField(wantedOf(parameters)), equals }]
  return { metrics: [], state, settleSeconds: 0, holdSeconds: 3, withinSeconds: 60, minSamples: 2 }
}

function wantedOf(parameters: Parameters): Labels {
  return labelsOf(parameters['alert']) ?? {}
}

/** All labels, on lines that a card shows whole. @throws IntegrationError for one that it would cut */
function linesOf(labels: Labels): string[] {
  const lines: string[] = []
  for (const [name, value] of Object.entries(labels)) {
    const text = `${name}=${JSON.stringify(value)}`
    if (text.length > SHOWN_LINE) throw new IntegrationError(ID, 'refused', `its label ${name} is too long to be shown`)
    const last = lines.at(-1)
    if (last !== undefined && last.length + text.length + 2 <= SHOWN_LINE) lines[lines.length - 1] = `${last}, ${text}`
    else lines.push(text)
  }
  return lines
}

function amtool(url: string, parameters: Parameters): string {
  if (isEnd({ parameters })) return `amtool --alertmanager.url=${inShell(url)} silence expire ID`
  const matchers = Object.entries(wantedOf(parameters)).map(([name, value]) => inShell(`${name}=${JSON.stringify(value)}`))
  const duration = `--duration=${String(parameters['minutes'])}m`
  return `amtool --alertmanager.url=${inShell(url)} silence add ${duration} --comment=REASON ${matchers.join(' ')}`
}

function inShell(word: string): string {
  return `'${word.replaceAll("'", "'\\''")}'`
}

function shortened(name: string): string {
  return name.length <= 80 ? name : `${name.slice(0, 79).toWellFormed()}…`
}

/** @throws Error for an environment that no silence is offered in: the catalogue asks for none */
function serverOf({ servers }: SilenceDeps, { environment }: Pick<Target, 'environment'>): AlertmanagerApi {
  const server = servers.get(environment)
  if (!server) throw new Error(`nothing is silenced in ${environment}`)
  return server
}
