import { createByHand } from './actions/by-hand.ts'
import { createByPerson } from './actions/by-person.ts'
import type { Executor } from './actions/executor.ts'
import { asOwnVote } from './actions/own-vote.ts'
import type { Agent } from './agent.ts'
import type { AgentDeps } from './agent-deps.ts'
import type { AuditProof } from './audit-proof.ts'
import type { Incident, IncidentEvent } from './domain/incident.ts'
import { type Actor, type Principal, roleAtLeast } from './domain/principal.ts'
import { type NeededRole, Refusal, type RefusalCode } from './domain/refusal.ts'
import { relationsOf } from './domain/relations.ts'
import { askerOf, channelOf, channelOfScope, isOfNone, type Located, sees, seesEverything, sightIn, sightOf } from './domain/workspace.ts'
import { createEffects } from './effects.ts'
import { createHandling } from './handling/handling.ts'
import { handlingOf } from './handling/state.ts'
import { traceOf } from './investigation/model-trace.ts'
import { modelUseOf } from './investigation/model-use.ts'
import type { Jobs } from './jobs.ts'
import type { SelfCheck } from './mode.ts'
import type { IncidentStore } from './ports.ts'
import { readFigures } from './records/records.ts'
import { timelineOf } from './records/timeline.ts'
import { readIncidentSeries } from './telemetry/incident-series.ts'
import { allOf, partOf, type Seen } from './workspaces/seen.ts'
import { withoutRows } from './workspaces/seen-audit.ts'

/** What of the running agent its answers need. */
export interface Running {
  jobs: Jobs
  executor: Pick<Executor, 'wake' | 'settle'>
  selfCheck: SelfCheck
  proof: AuditProof
  /** Why nothing runs at the moment. */
  observing(): string[]
}

const STOP_WAIT_MS = 1_000
/** Refusals that say something of who asked, or of what was sent: not of how things stand. */
const KEPT_REFUSALS: readonly RefusalCode[] = ['not-authorised', 'self-approval', 'same-person', 'stale-digest']
/** More names than these nobody reads. */
const HOLDERS_ASKED = 50

/** What surfaces may ask, for whoever sees everything; `seenBy` gives the same for anybody else. */
export function createAnswers(deps: AgentDeps, running: Running): Agent {
  const narrower = new Map<string, Agent>()
  const seenBy: Agent['seenBy'] = (asker, channel) => narrowed(sightOf(deps.workspaces, asker, channel))
  const seenIn: Agent['seenIn'] = (channel) => narrowed(sightIn(deps.workspaces, channel))
  const narrowed = (sight: ReturnType<typeof sightOf>): Agent => {
    if (seesEverything(sight)) return whole
    const key = JSON.stringify([sight.asker, sight.place].map((reach) => (reach === 'everything' ? reach : reach.map(({ name }) => name))))
    const known = narrower.get(key) ?? { ...answersOf(deps, partOf(deps, sight), running), seenBy, seenIn }
    narrower.set(key, known)
    return known
  }
  const whole: Agent = { ...answersOf(deps, allOf(deps), running), seenBy, seenIn }
  return whole
}

/** Every answer is made of what is seen: what these parts do not hold cannot be told. */
function answersOf(deps: AgentDeps, seen: Seen, running: Running): Omit<Agent, 'seenBy' | 'seenIn'> {
  const { incidents, approvals } = seen
  const { jobs } = running
  const { questions } = deps
  return {
    control: {
      ...seen.control,
      async stop(scope, by) {
        await seen.control.stop(scope, by)
        return { underWay: await callsUnderWay(deps, seen.incidents) }
      },
    },
    async channelFor(about, usual) {
      if (deps.workspaces.length === 0) return usual
      if (about === 'installation') return isOfNone(deps.workspaces, usual) ? usual : null
      if ('frozen' in about) return channelOfScope(deps.workspaces, about.frozen, usual)
      const incident = await incidents.get(about.incident)
      return incident && channelOf(deps.workspaces, incident, usual)
    },
    sight: {
      everything: seen.everything,
      sees: async (incidentId) => (await seen.incidents.get(incidentId)) !== null,
    },
    power: deps.power,
    effects: createEffects({ ...deps, kernel: deps.executions, checkAgain: async () => await running.selfCheck.run() }),
    scopes: seen.scopes,
    telemetry: seen.telemetry,
    runbooks: async (query) => await deps.runbooks.search(query),
    figures: (query) => readFigures(seen, query),
    incidentSeries: (id) => readIncidentSeries({ ...seen, now: deps.now }, id),
    audit: seen.audit,
    async noteRefusal({ code }, attempt) {
      if (!KEPT_REFUSALS.includes(code)) return
      await deps.refusals
        .note({ ...attempt, code })
        .catch((error: unknown) => deps.log.error({ error: String(error), code }, 'a refusal could not be kept in the audit log'))
    },
    drills: seen.drills,

    receive: async (delivery) => ({ duplicate: (await deps.inbox.accept({ ...delivery, jobKind: 'intake' })).duplicate }),
    heard: async (alerts) => await deps.heartbeats?.heard(alerts),
    incidents: async (query) => await incidents.list(query),
    evidence: async (incidentId, label) => await incidents.evidenceItem(incidentId, label),
    askModel: questions ? async (question, looked) => await questions(seen, question, looked) : null,
    modelTrace: async (id) => ((await incidents.get(id)) ? (await seen.modelRuns.trace(id)).map(traceOf) : null),
    approval: async (id) => await approvals.approval(id),
    approvals: async (query) => await approvals.approvals(query),
    whoMay: async (requestId) => await readersAmong(await approvals.whoMay(requestId), requestId, deps),
    person: async (actor) => await deps.people.byActor(actor),
    people: async () => await deps.people.list(),
    holders: async (needed) => await holdersOf(needed, deps),

    mergedInto: async (id) => ((await incidents.get(id)) ? relationsOf(await incidents.timeline(id)).mergedInto : null),
    async incident(id) {
      const incident = await incidents.get(id)
      if (!incident) return null
      const [alerts, evidence, hypotheses, requests, recorded, feedback, drill, run] = await Promise.all([
        incidents.alerts(id),
        incidents.evidenceSummaries(id),
        incidents.hypotheses(id),
        approvals.approvals({ incidentId: id, limit: 50 }),
        incidents.timeline(id),
        incidents.feedback(id),
        startOfDrill(incident, deps),
        seen.modelRuns.latest(id),
      ])
      const timeline = timelineOf([...drill, ...recorded], requests.items)
      const handling = handlingOf(recorded, deps.now())
      const relations = relationsOf(recorded)
      const model = run ? modelUseOf(run.steps) : null
      return { incident, alerts, evidence, hypotheses, approvals: requests.items, timeline, handling, relations, feedback, model }
    },

    async vote(input) {
      await demandReader(input, deps)
      // Whoever approves may expect that it runs; while nothing runs nobody is asked to wait for it.
      const [reason] = observingWords(running.observing(), seen)
      if (input.decision === 'approve' && reason !== undefined) throw new Refusal('observing', reason)
      deps.crashpoint('C6')
      const approval = await approvals.vote(input).catch(async (error: unknown) => {
        throw await asOwnVote(error, input, { approvals, people: deps.people })
      })
      deps.crashpoint('C7')
      running.executor.wake()
      // The vote stands whatever comes after it, and so does the answer; the sweep follows the incident again.
      await jobs
        .follow(approval.incidentId)
        .catch((error: unknown) => deps.log.error({ error: String(error) }, 'a vote was not followed yet'))
      return approval
    },
    async settle(requestId, word) {
      const approval = await approvals.approval(requestId)
      if (!approval) throw new Refusal('unknown-approval')
      await running.executor.settle(approval.plan.id, word)
      return (await approvals.approval(requestId)) ?? approval
    },
    async keep(requestId, actor) {
      await demandReader({ requestId, actor }, deps)
      const approval = await approvals.keep(requestId, actor)
      await jobs.follow(approval.incidentId)
      return approval
    },
    ...createByPerson({ approvals, incidents, people: deps.people, jobs }),
    ...createByHand({ ...deps, seen, jobs }),
    ...createHandling({ ...deps, seen, jobs, investigateSoon: jobs.investigateSoon }),

    async verifyAudit() {
      const { report } = await running.proof.fresh()
      return seen.everything ? report : withoutRows(report)
    },
    async recentAudit() {
      const { report, at } = await running.proof.recent()
      return { ...(seen.everything ? report : withoutRows(report)), at }
    },
    async mode() {
      const stops = (await deps.control.stopped()).map(({ scope, by, at }) => stopWords(scope, by, at))
      const reasons = [...stops, ...observingWords(running.observing(), seen)]
      return reasons.length === 0 ? { mode: 'act' } : { mode: 'observe', reasons }
    },
    async services() {
      const { workloads, graph } = await seen.topology.inventory()
      return {
        items: workloads.map(({ service, environment, version, readyReplicas, desiredReplicas }) => ({
          name: service,
          environment,
          version,
          readyReplicas,
          desiredReplicas,
        })),
        edges: [...new Map(graph.edges.map(({ from, to }) => [JSON.stringify([from, to]), { from, to }])).values()],
      }
    },
  }
}

/** That it only observes is everybody's to know; what its self-check found may name what is not theirs. */
function observingWords(reasons: readonly string[], { everything }: Seen): readonly string[] {
  return everything || reasons.length === 0 ? reasons : ['the self-check found a reason to only observe; an admin sees which']
}

/** Of one thing each is asked for, as the database would: nobody is named who would be refused as well, or does not see it. */
async function holdersOf({ role, of }: NeededRole, deps: Pick<AgentDeps, 'workspaces' | 'people'>): Promise<Principal[]> {
  const { people } = deps
  const holders = (await people.list()).filter(({ active, roles }) => active && roles.some((held) => roleAtLeast(held, role)))
  if (of === null) return holders
  const { environment } = of
  const all = await readersOf(of, holders, deps)
  const asked = all.slice(0, HOLDERS_ASKED)
  const may = await Promise.all(asked.map(({ id }) => people.may(id, role, environment)))
  return asked.filter((_person, index) => may[index])
}

/** Of those who hold the role, who sees what it is about. */
async function readersAmong(
  people: Principal[],
  requestId: string,
  deps: Pick<AgentDeps, 'workspaces' | 'approvals' | 'incidents' | 'people'>,
): Promise<Principal[]> {
  if (deps.workspaces.length === 0) return people
  const incident = await incidentOf(requestId, deps)
  return incident ? await readersOf(incident, people, deps) : []
}

/** Of some people, who sees a thing. */
async function readersOf(thing: Located, people: Principal[], deps: Pick<AgentDeps, 'workspaces' | 'people'>): Promise<Principal[]> {
  if (deps.workspaces.length === 0) return people
  const all = new Map((await deps.people.list()).map((person) => [person.id, person]))
  return people.filter(({ id }) => sees(sightOf(deps.workspaces, askerOf(all.get(id) ?? null), null), thing))
}

/** Whoever may not read it does not decide it, from wherever they click. @throws Refusal unknown-approval */
async function demandReader(
  { requestId, actor }: { requestId: string; actor: Actor },
  deps: Pick<AgentDeps, 'workspaces' | 'approvals' | 'incidents' | 'people'>,
): Promise<void> {
  if (deps.workspaces.length === 0) return
  const [incident, person] = await Promise.all([incidentOf(requestId, deps), deps.people.byActor(actor)])
  if (!incident || !sees(sightOf(deps.workspaces, askerOf(person), null), incident)) throw new Refusal('unknown-approval')
}

async function incidentOf(
  requestId: string,
  { approvals, incidents }: Pick<AgentDeps, 'approvals' | 'incidents'>,
): Promise<Incident | null> {
  const approval = await approvals.approval(requestId)
  return approval && (await incidents.get(approval.incidentId))
}

/**
 * Waits until no call made before the stop is still waiting for its answer, a second at most. Returns the titles of those that still are: they
 * were sent before, and are watched. What of them is not seen is waited for as well, and not told.
 */
async function callsUnderWay({ executions, now }: AgentDeps, seen: Pick<IncidentStore, 'get'>): Promise<string[]> {
  const end = now().getTime() + STOP_WAIT_MS
  for (;;) {
    const sent = (await executions.unfinished()).filter(({ state }) => state === 'sent')
    if (sent.length === 0 || now().getTime() >= end) {
      const told = await Promise.all(sent.map(async ({ plan: { plan } }) => ((await seen.get(plan.incident)) ? [plan.action.title] : [])))
      return told.flat()
    }
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

/** Who broke the target for practice, as the first line of the incident that came of it. */
async function startOfDrill(
  { id, drillRun }: Incident,
  { drills, people }: Pick<AgentDeps, 'drills' | 'people'>,
): Promise<IncidentEvent[]> {
  const run = drillRun === null ? null : await drills.run(drillRun)
  if (!run) return []
  const starter = run.startedBy === null ? undefined : (await people.list()).find((person) => person.id === run.startedBy)
  const text = `The drill ${run.name} was started${starter ? ` by ${starter.name}` : ' from the command line or by a program'}.`
  return [{ incidentId: id, seq: 0, at: run.startedAt, kind: 'drill-started', text, detail: { run: run.run, person: run.startedBy } }]
}

function stopWords(scope: string, by: string, at: Date): string {
  const what = scope === '*' ? 'Stopped' : `Stopped (${scope})`
  return `${what} by ${by === 'host' ? 'the command line on the host' : by} at ${at.toISOString().slice(11, 16)} UTC`
}
