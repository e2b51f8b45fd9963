import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { IntegrationError } from '../../integrations/errors.ts'
import type { Parameters } from '../../integrations/ports/action.ts'
import type { Workload } from '../../integrations/ports/workloads.ts'
import { withoutOpinion } from '../diagnosis/second-opinion.ts'
import { severityOf } from '../diagnosis/severity.ts'
import { type Alert, ASKED_BY_PERSON } from '../domain/alert.ts'
import type { Approval } from '../domain/approval.ts'
import type { Hypothesis } from '../domain/hypothesis.ts'
import { ENDED_STATES, type Incident } from '../domain/incident.ts'
import { meantOrKnown, nearest } from '../domain/nearest.ts'
import type { Plan } from '../domain/plan.ts'
import type { Principal } from '../domain/principal.ts'
import { REFUSALS, Refusal, type RefusalCode } from '../domain/refusal.ts'
import { haveSameOwners, type Located, type Workspace } from '../domain/workspace.ts'
import { demandResponder } from '../handling/demand-responder.ts'
import { handlingOf } from '../handling/state.ts'
import { healthyBound } from '../investigation/investigate.ts'
import { triggerOf } from '../investigation/scope.ts'
import type { Jobs } from '../jobs.ts'
import { isCorroborated } from '../policy/corroboration.ts'
import type { ApprovalKernel, IncidentStore, PeopleStore } from '../ports.ts'
import { reachOf } from '../topology/blast-radius.ts'
import type { Topology } from '../topology/inventory.ts'
import type { Catalog, CatalogEntry } from './catalog.ts'
import { type ProposeDeps, parameterProblems, proposeAction } from './propose.ts'
import { type WhyNot, whyNotProposed } from './why-not.ts'

export interface ByHandDeps {
  proposing: ProposeDeps
  catalog: Catalog
  incidents: IncidentStore
  approvals: Pick<ApprovalKernel, 'approvals'>
  people: Pick<PeopleStore, 'may'>
  topology: Topology
  /** What whoever asks sees: services and incidents are looked up here alone. What is decided about them is decided from all that is known. */
  seen: { incidents: Pick<IncidentStore, 'get' | 'list'>; topology: Topology }
  jobs: Pick<Jobs, 'follow' | 'investigateSoon'>
  /** None while everybody sees everything. */
  workspaces: readonly Workspace[]
  now: () => Date
}

/** An action of the catalogue as people name it: 'rollback' for 'local.rollback'. */
export interface NamedAction {
  verb: string
  kind: string
  description: string
}

/** A service as people name it. */
export interface Meant {
  service: string
  /** Needed where a service of that name runs in several, and no incident says which. */
  environment?: string | null
}

/** What a responder may ask for by name, in the environments they are a responder of. Nothing is carried out: it ends on an approval card. */
export interface ByHand {
  actions(): NamedAction[]
  /**
   * Plans a named action on a named service and puts it before people; whoever named it is the requester. It belongs to the incident that is
   * named, else to the open one of the service, else to one that is opened for it.
   *
   * @throws Refusal unknown-action, unknown-target, not-authorised, invalid-parameters, and whatever speaks against the plan
   */
  proposeByHand(wanted: Meant & { action: string; parameters: Parameters; incident: string | null }, by: Principal): Promise<Approval>
  /**
   * Looks into a service, or into an incident again.
   *
   * @throws Refusal unknown-target, not-authorised, too-late when the incident is over
   */
  investigateByHand(what: { incident: string } | Meant, by: Principal): Promise<Incident | null>
  /**
   * Why the agent does not propose a named action, in the named incident or the open one that is about the service. Null when there is none.
   *
   * @throws Refusal unknown-action, unknown-target
   */
  whyNot(wanted: Meant & { action: string; incident: string | null }): Promise<WhyNot | null>
  /** How a person would do by hand what a plan does; null where only Steadyhand can. Text to read, never to run. */
  manualOf(plan: Plan): string | null
}

const APPROVALS_READ = 50
const SERVICES_NAMED = 20
const INCIDENTS_READ = 50

interface Chosen {
  incident: Incident
  /** Whether it was opened for this. */
  isNew: boolean
}

export function createByHand(deps: ByHandDeps): ByHand {
  const { catalog, incidents, topology, seen } = deps
  /** `about`: the incident that it is said of. Where the environment is not said, and there are several, it is that of the incident. */
  const placeOf = async ({ service, environment = null }: Meant, about: string | null): Promise<Workload> => {
    const { workloads } = await seen.topology.inventory()
    const found = workloads.filter((workload) => workload.service.toLowerCase() === service.toLowerCase())
    if (found.length === 0) {
      const known = [...new Set(workloads.map((workload) => workload.service))].slice(0, SERVICES_NAMED)
      throw new Refusal('unknown-target', `There is no service "${service.slice(0, 60)}". ${meantOrKnown(service, known)}`)
    }
    const said = environment ?? (found.length > 1 && about !== null ? (await seen.incidents.get(about))?.environment : null) ?? null
    const there = said === null ? found : found.filter((workload) => workload.environment === said)
    const [only] = there
    if (only && there.length === 1) return only
    const places = found.map((workload) => workload.environment)
    const where = `${service.slice(0, 60)} runs in ${places.join(' and ')}`
    throw new Refusal(
      'unknown-target',
      there.length === 0
        ? `${where}, not in ${said?.slice(0, 60)}.`
        : `${where}. Say which: ${places.map((place) => `env:${place}`).join(' or ')}.`,
    )
  }
  /** `concerned`: every service that it would change, seen or not. */
  const targetOf = async (
    action: string,
    meant: Meant,
    about: string | null,
  ): Promise<{ name: string; workload: Workload; concerned: readonly Located[] }> => {
    const named = meant.service
    const { workloads } = await seen.topology.inventory()
    const isService = workloads.some(({ service }) => service.toLowerCase() === named.toLowerCase())
    const concerned = isService ? [] : await concernedBy(catalog, action, named)
    const isConcerned = (place: Located): boolean =>
      concerned.some(({ service, environment }) => service === place.service && environment === place.environment)
    const first = workloads.find(isConcerned)
    if (first) return { name: named, workload: first, concerned }
    const only = await placeOf(meant, about)
    return { name: only.service, workload: only, concerned: [only] }
  }
  /** `wish`: what was asked for, after the name of who did. */
  const openFor = async ({ service, environment }: Workload, by: Principal, wish: string): Promise<Chosen> => {
    const { graph } = await topology.inventory()
    const { severity, reason } = severityOf({ level: 'warning', reach: reachOf(graph.within(environment), service) })
    let known: string | null = null
    const { incidentId } = await incidents.absorb(handAlert({ service, environment, by, wish }), null, ({ openIncidents }) => {
      known = openIncidents.find((each) => each.service === service && each.environment === environment)?.id ?? null
      if (known !== null) return { do: 'drop', reason: `${known} is about ${service} already` }
      const opened = {
        title: `${service}: asked for by ${by.name}`,
        service,
        environment,
        severity,
        severityReason: reason,
        drillRun: null,
      }
      return { do: 'open', ...opened, reason: `${by.name} asked for it` }
    })
    const incident = await incidents.get(incidentId ?? known ?? '')
    if (!incident) throw new Error('an incident that was just opened is not there')
    return { incident, isNew: known === null }
  }

  return {
    actions: () => catalog.definitions.map(({ kind, description }) => ({ verb: verbOf(kind), kind, description })),

    manualOf: ({ action, target, parameters, incident }) =>
      catalog.find(action.kind, action.version)?.action.byHand?.command({ target, parameters, incident }) ?? null,

    async investigateByHand(what, by) {
      if ('service' in what) {
        const workload = await placeOf(what, null)
        await demandResponder(deps.people, by, workload)
        const { incident } = await openFor(workload, by, `asked to look into ${workload.service}`)
        await deps.jobs.investigateSoon(incident.id)
        return incident
      }
      const incident = await seen.incidents.get(what.incident)
      if (!incident) return null
      await demandResponder(deps.people, by, incident)
      if (ENDED_STATES.includes(incident.state)) throw new Refusal('too-late', 'The incident is over already.')
      await deps.jobs.investigateSoon(incident.id)
      return incident
    },

    async whyNot({ action, incident: named, ...meant }) {
      const workload = await placeOf(meant, named)
      const entry = entryOf(catalog, action, workload.environment)
      const incident = await incidentAbout(deps, named, workload)
      if (!incident) return null
      const target = { environment: workload.environment, name: workload.service }
      const [facts, timeline, evidence, defaults] = await Promise.all([
        factsOf(deps, incident, workload.service),
        incidents.timeline(incident.id),
        incidents.evidenceSummaries(incident.id),
        defaultsOf(entry, target),
      ])
      const corroborated = isCorroborated(facts.hypothesis, evidence)
      const wanted = { entry, service: workload.service, defaults }
      return await whyNotProposed(deps.proposing, { ...facts, corroborated }, wanted, handlingOf(timeline, deps.now()))
    },

    async proposeByHand({ action, parameters, incident: named, ...meant }, by) {
      const { name, workload, concerned } = await targetOf(action, meant, named)
      await demandResponder(deps.people, by, workload)
      const entry = entryOf(catalog, action, workload.environment)
      if (!concerned.every((each) => haveSameOwners(deps.workspaces, workload, each)))
        throw new Refusal('invalid-parameters', `Services of different workspaces run on ${name}.`)
      const target = { environment: workload.environment, name }
      const wanted = await completed(entry, parameters, target)
      demandParameters(entry, wanted, workload.service)
      const { incident, isNew } = await incidentFor(deps, named, workload, () =>
        openFor(workload, by, `asked for: ${verbOf(entry.action.definition.kind)} ${name}`),
      )
      const facts = await factsOf(deps, incident, workload.service)
      const input = { ...facts, corroborated: false, requester: by.id, asked: true }
      const proposal = await orRefusal(() => proposeAction(deps.proposing, input, entry, { target, parameters: wanted }))
      if (proposal.result !== 'asked') {
        if (isNew) await closeAgain(incidents, incident.id, proposal.words)
        throw proposal.result === 'held-back' ? refusalOf(proposal) : new Refusal('invalid-parameters', proposal.words)
      }
      await deps.jobs.follow(incident.id)
      return proposal.approval
    },
  }
}

/** What is known of an incident, as a proposal needs it. */
async function factsOf({ incidents, approvals }: ByHandDeps, incident: Incident, service: string) {
  const [alerts, hypotheses, requests] = await Promise.all([
    incidents.alerts(incident.id),
    incidents.hypotheses(incident.id),
    approvals.approvals({ incidentId: incident.id, limit: APPROVALS_READ }),
  ])
  const trigger = triggerOf(alerts)
  return {
    incident,
    // What a plan says its cause is counts its attempts: that follows from the rules, never from what a model may have believed.
    hypothesis: withoutOpinion(hypotheses)[0] ?? notLookedInto(service),
    symptom: trigger ? healthyBound(trigger) : null,
    approvals: requests.items,
    alerts,
  }
}

/** The named incident, else the newest open one that is about the service, or that the diagnosis blames on it. */
async function incidentAbout(
  { incidents, seen }: ByHandDeps,
  named: string | null,
  { service, environment }: Workload,
): Promise<Incident | null> {
  if (named !== null) {
    const incident = await seen.incidents.get(named)
    return incident?.environment === environment ? incident : null
  }
  const { items } = await seen.incidents.list({ state: 'active', limit: INCIDENTS_READ })
  const here = items.filter((each) => each.environment === environment)
  const about = here.find((each) => each.service === service)
  if (about) return about
  for (const each of here) {
    const [first] = withoutOpinion(await incidents.hypotheses(each.id))
    if (first?.component === `service/${service}`) return each
  }
  return null
}

/** The named incident, if it is one of the same environment that is open; else the open one of the service, else a new one. */
async function incidentFor(
  { seen, workspaces }: ByHandDeps,
  named: string | null,
  { service, environment }: Workload,
  open: () => Promise<Chosen>,
): Promise<Chosen> {
  if (named === null) return await open()
  const incident = await seen.incidents.get(named)
  if (!incident) throw new Refusal('invalid-parameters', `There is no incident ${named.slice(0, 40)}.`)
  if (ENDED_STATES.includes(incident.state))
    throw new Refusal('too-late', `${incident.id} is over. Say it where no incident is meant, or "for" one that is open.`)
  if (incident.environment !== environment)
    throw new Refusal('invalid-parameters', `${service} runs in ${environment}, and ${incident.id} is about ${incident.environment}.`)
  if (!haveSameOwners(workspaces, incident, { service, environment }))
    throw new Refusal('invalid-parameters', `${service} and ${incident.id} belong to different workspaces.`)
  return { incident, isNew: false }
}

/** By its verb or its whole kind, among the actions that reach the environment. */
function entryOf(catalog: Catalog, action: string, environment: string): CatalogEntry {
  const wanted = action.toLowerCase()
  const here = catalog.inEnvironment(environment)
  const found = here.filter(({ action: { definition } }) => definition.kind === wanted || verbOf(definition.kind) === wanted)
  const newest = found.toSorted((a, b) => b.action.definition.version - a.action.definition.version)[0]
  if (newest) return newest
  const verbs = [...new Set(here.map(({ action: { definition } }) => verbOf(definition.kind)))]
  const meant = nearest(action, verbs)
  throw new Refusal(
    'unknown-action',
    meant === null ? `In ${environment} there are: ${verbs.join(', ') || 'none'}.` : `Did you mean "${meant}"?`,
  )
}

/** The services that an action of this name concerns on a target that is none; empty where there is no such target. */
async function concernedBy(catalog: Catalog, action: string, name: string): Promise<Located[]> {
  const wanted = action.toLowerCase()
  for (const { definition, byHand } of catalog.entries.map((entry) => entry.action)) {
    if (!byHand?.concerns || (definition.kind !== wanted && verbOf(definition.kind) !== wanted)) continue
    const found = await orRefusal(async () => await byHand.concerns?.(name))
    if (found) return found.services.map((service) => ({ service, environment: found.environment }))
  }
  return []
}

function verbOf(kind: string): string {
  return kind.slice(kind.lastIndexOf('.') + 1)
}

/** What was said, and what has to be said beside it as the action would have it: nothing else is added to what somebody asks for. */
async function completed(entry: CatalogEntry, said: Parameters, target: { environment: string; name: string }): Promise<Parameters> {
  if (Object.keys(said).length === 0) return await defaultsOf(entry, target)
  const missing = leftOut(entry, said)
  if (missing.length === 0) return said
  const defaults = Object.entries(await defaultsOf(entry, target)).filter(([name]) => missing.includes(name))
  return { ...said, ...Object.fromEntries(defaults) }
}

/** Parameters that have to be said and were not. */
function leftOut({ action: { definition } }: CatalogEntry, said: Parameters): string[] {
  const issues = definition.parameters.safeParse(said).error?.issues ?? []
  return issues.map(({ path }) => path.join('.')).filter((name) => name !== '' && !(name in said))
}

/** Before an incident is opened for it. @throws Refusal invalid-parameters, with what to say */
function demandParameters(entry: CatalogEntry, parameters: Parameters, service: string): void {
  const { definition, byHand } = entry.action
  const problems = parameterProblems(definition, parameters)
  if (problems.length === 0) return
  const names = Object.keys(definition.parameters instanceof z.ZodObject ? definition.parameters.shape : {})
  const form = `do ${verbOf(definition.kind)} ${service}${names.map((name) => ` ${name}=…`).join('')}`
  const why = leftOut(entry, parameters).length === problems.length ? (byHand?.noDefaults ?? null) : null
  throw new Refusal('invalid-parameters', `${why === null ? `${problems.join('; ')}.` : why} Say it as: ${form}`)
}

/** What was opened for an action that cannot be asked for is not left for somebody to close. */
async function closeAgain(incidents: IncidentStore, id: string, words: string): Promise<void> {
  const event = { kind: 'incident-resolved', text: `Closed: nothing could be asked. ${words}`, detail: { verdict: 'nothing-asked' } }
  await incidents.record(id, { ...event, state: 'resolved', from: ['open', 'investigating', 'observing'] })
}

async function defaultsOf({ action }: CatalogEntry, target: { environment: string; name: string }): Promise<Parameters> {
  return (await orRefusal(async () => action.byHand?.defaults(target))) ?? {}
}

/** A target that cannot be read is an expected "no". */
async function orRefusal<T>(step: () => Promise<T>): Promise<T> {
  try {
    return await step()
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    const refusal = new Refusal('dry-run-failed', error.message)
    refusal.cause = error
    throw refusal
  }
}

function refusalOf({ code, words }: { code: RefusalCode | null; words: string }): Refusal {
  if (code === null) return new Refusal('in-flight', `${words}.`)
  return new Refusal(code, words.slice(REFUSALS[code].length).trim() || null)
}

function handAlert({ service, environment, by, wish }: { service: string; environment: string; by: Principal; wish: string }): Alert {
  return {
    source: ASKED_BY_PERSON,
    key: `${by.id}:${randomUUID()}`,
    name: `Asked for by ${by.name}`,
    status: 'firing',
    level: 'warning',
    service,
    environment,
    summary: `${by.name} ${wish}.`,
    labels: {},
    annotations: {},
    startsAt: null,
    endsAt: null,
    link: null,
    trigger: null,
  }
}

function notLookedInto(service: string): Hypothesis {
  return {
    rank: 1,
    class: 'unknown',
    component: `service/${service}`,
    confidence: 0,
    parts: [],
    claims: [],
    against: [],
    unknown: [],
    since: null,
  }
}
