import { healed } from '../diagnosis/causes/healed.ts'
import { createCitationCheck } from '../diagnosis/citations.ts'
import { confidenceOf } from '../diagnosis/confidence.ts'
import { findCulprit } from '../diagnosis/culprit.ts'
import { readFacts } from '../diagnosis/facts.ts'
import { type Alert, latestOfEach } from '../domain/alert.ts'
import type { EvidenceItem, NewEvidence } from '../domain/evidence.ts'
import type { FaultClass } from '../domain/fault-classes.ts'
import type { Hypothesis } from '../domain/hypothesis.ts'
import { type Incident, type IncidentEvent, wasPutBack } from '../domain/incident.ts'
import { startOf } from '../domain/incident-start.ts'
import { GONE_MS, readSymptom, type SymptomReading } from './evidence/symptom.ts'
import { type Diagnosis, type InvestigationDeps, investigate } from './investigate.ts'
import { sourcesFor, triggerOf } from './scope.ts'

/** What watching an incident came to this time. */
export type Watched =
  /** It is not (or no longer) an incident that only has to be watched. */
  | { result: 'not-observing' }
  | { result: 'healed' }
  /** Nothing to tell yet; look again then. */
  | { result: 'waiting'; lookAgainAt: Date }
  /** The trouble lasts, so it was looked into again. */
  | { result: 'investigated'; diagnosis: Diagnosis }

export interface About {
  acted: boolean
  onlyItsEnd?: boolean
}

const LOOK_EVERY_MS = 1_000
const AGAIN_AFTER_MS = 15_000
/** A second alert is often the first of a few. */
const AFTER_NEWS_MS = 2_000
/** Firing alerts whose own metric is read again; what is left over counts as not over. */
const MAX_TRIGGERS = 12
/** Rounds of investigation for one incident; after these only its end is watched for. */
const MAX_ROUNDS = 5
const READ_DEADLINE_MS = 2_000

/**
 * Looks once at an incident in which there is nothing to do: records its end when its symptom has been gone for five seconds, investigates
 * again when it lasts for fifteen, and otherwise says when to look again. Everything it goes by is in rows and metrics, so any process can
 * take the next look. `acted`: something was carried out in it, so it is not said to have healed by itself. `onlyItsEnd`: it is not
 * investigated again.
 */
export async function watch(
  deps: InvestigationDeps,
  incidentId: string,
  signal: AbortSignal,
  about: About = { acted: false },
): Promise<Watched> {
  const { incidents, now } = deps
  const [incident, alerts, timeline] = await Promise.all([
    incidents.get(incidentId),
    incidents.alerts(incidentId),
    incidents.timeline(incidentId),
  ])
  if (incident?.state !== 'observing') return { result: 'not-observing' }
  const sign = await readSign(deps, incident, alerts, signal)
  if (sign.gone) {
    const why = wasPutBack(timeline) ? PUT_BACK_WORDS : about.acted ? ACTED_WORDS : null
    return (await recordGone(deps, incident, sign.evidence, why)) ? { result: 'healed' } : { result: 'not-observing' }
  }
  if (about.onlyItsEnd !== true && isDueAgain(timeline, now()))
    return { result: 'investigated', diagnosis: await investigate(deps, incidentId, signal) }
  return { result: 'waiting', lookAgainAt: new Date(now().getTime() + LOOK_EVERY_MS) }
}

/** After fifteen seconds, and sooner when an alert came that the last round could not know of. */
function isDueAgain(timeline: readonly IncidentEvent[], now: Date): boolean {
  const rounds = timeline.filter(({ kind }) => kind === 'diagnosis-made')
  const started = timeline.findLast(({ kind }) => kind === 'investigation-started')
  const isNews = timeline.some(({ kind, seq }) => kind === 'alert-received' && seq > (started?.seq ?? 0))
  const wait = isNews ? AFTER_NEWS_MS : AGAIN_AFTER_MS
  return rounds.length < MAX_ROUNDS && now.getTime() >= (rounds.at(-1)?.at.getTime() ?? 0) + wait
}

type Sign = { gone: true; evidence: NewEvidence[] } | { gone: false }
type ReceivedAlert = Alert & { receivedAt: Date }

/** The metric of the trigger where there is one; else the word of the sources that the alerts are over. In doubt it is not over. */
async function readSign(deps: InvestigationDeps, incident: Incident, alerts: readonly ReceivedAlert[], signal: AbortSignal): Promise<Sign> {
  const [source] = sourcesFor(deps.sources, incident.environment).flatMap(({ id, metrics }) => (metrics ? [{ id, metrics }] : []))
  const moment = { startedAt: startOf(incident, alerts), now: deps.now() }
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(READ_DEADLINE_MS)])
  const firing = latestOfEach(alerts).filter(({ status }) => status === 'firing')
  const triggers = distinctTriggers([triggerOf(alerts), ...firing.map(({ trigger }) => trigger)])
  const readings = source
    ? await Promise.all(
        triggers.map(async (trigger) => ({ trigger, reading: await readSymptom(source, trigger, moment, deadline, deps.log) })),
      )
    : []
  signal.throwIfAborted()
  const told = readings.filter((each): each is TriggerReading => each.reading !== null)
  if (told.length === 0) return alertsOver(alerts, deps.now())
  const healthy = told.filter(({ reading }) => reading.active === false)
  const isGone = healthy.length === told.length && firing.every((alert) => isCovered(alert, healthy))
  // The first trigger decided what was looked into, so its reading is the one that the end is told by.
  return isGone ? { gone: true, evidence: healthy.map(({ reading }) => reading.evidence).toReversed() } : { gone: false }
}

interface TriggerReading {
  trigger: NonNullable<Alert['trigger']>
  reading: SymptomReading
}

/** An alert that still fires may be late, but only where its own metric, or at least its service, was read as healthy. */
function isCovered({ trigger, service }: Alert, healthy: readonly TriggerReading[]): boolean {
  return healthy.some((read) => (trigger ? sameTrigger(read.trigger, trigger) : read.trigger.service === service))
}

function distinctTriggers(triggers: readonly Alert['trigger'][]): NonNullable<Alert['trigger']>[] {
  const stated = triggers.filter((trigger) => trigger !== null)
  return stated.filter((trigger, i) => stated.findIndex((other) => sameTrigger(other, trigger)) === i).slice(0, MAX_TRIGGERS)
}

function sameTrigger(a: NonNullable<Alert['trigger']>, b: NonNullable<Alert['trigger']>): boolean {
  return a.service === b.service && a.metric === b.metric && a.comparator === b.comparator && a.threshold === b.threshold
}

function alertsOver(alerts: readonly ReceivedAlert[], now: Date): Sign {
  const ends = latestOfEach(alerts)
  const isOver =
    ends.length > 0 && ends.every(({ status, receivedAt }) => status === 'resolved' && now.getTime() - receivedAt.getTime() >= GONE_MS)
  const [first] = ends
  if (!isOver || !first) return { gone: false }
  const content = { alerts: ends.slice(0, 20).map(({ source, name, key, status, endsAt }) => ({ source, name, key, status, endsAt })) }
  const evidence: NewEvidence = {
    kind: 'alerts',
    source: first.source,
    trust: 'log',
    status: 'ok',
    summary: 'every alert of this incident is resolved at its source',
    query: 'alerts',
    from: new Date(Math.min(...alerts.map(({ receivedAt }) => receivedAt.getTime()))),
    to: now,
    link: null,
    content,
  }
  return { gone: true, evidence: [evidence] }
}

const ACTED_WORDS = 'Something was done in this incident, so it is not said to have healed by itself.'
const PUT_BACK_WORDS = "The drill's clean-up put the target back, so it is not said to have healed by itself."
const HEALED_WORDS: Partial<Record<FaultClass, string>> = { false_alarm: 'The alert contradicts the telemetry.' }

/**
 * Records the end. When it healed by itself, that comes first, above what was thought before; otherwise `notByItself` says why that is not
 * said, and the diagnosis stays as it was.
 */
async function recordGone(
  deps: InvestigationDeps,
  incident: Incident,
  found: readonly NewEvidence[],
  notByItself: string | null,
): Promise<boolean> {
  const { incidents } = deps
  const [evidence, before] = await Promise.all([incidents.addEvidence(incident.id, found), incidents.hypotheses(incident.id)])
  const first = hypothesisOf(deps, incident, evidence, before)
  const told = first.claims[0]?.text ?? ''
  const text = notByItself
    ? `The symptom is gone: ${told} ${notByItself}`
    : `${HEALED_WORDS[first.class] ?? 'It healed by itself.'} ${told}`.trim()
  const event = {
    kind: notByItself ? 'symptom-gone' : 'incident-healed',
    text,
    detail: { class: first.class, component: first.component },
  }
  const recorded = await incidents.record(incident.id, { ...event, state: 'healed', from: ['observing'] })
  const rest = before.filter((hypothesis) => hypothesis.class !== first.class).map((hypothesis, i) => ({ ...hypothesis, rank: i + 2 }))
  if (recorded && notByItself === null) await incidents.saveHypotheses(incident.id, [first, ...rest])
  return recorded
}

function hypothesisOf(
  deps: InvestigationDeps,
  incident: Incident,
  evidence: readonly EvidenceItem[],
  before: readonly Hypothesis[],
): Hypothesis {
  const component = before[0]?.component ?? `service/${incident.service}`
  const facts = readFacts({ service: component.replace(/^service\//, ''), startedAt: incident.openedAt, now: deps.now() }, evidence)
  const candidate = healed(facts, findCulprit(facts)) ?? {
    class: 'resolved_by_itself' as const,
    component,
    score: 60,
    signs: { found: 1, of: 2 },
    since: deps.now(),
    claims: [{ text: 'Every alert of this incident is resolved at its source.', cites: evidence.map(({ label }) => label) }],
    against: [],
    unknown: ['what caused it', 'what the metrics say, because the alerts do not name one'],
  }
  const claims = candidate.claims.map(createCitationCheck(evidence, new Set([incident.service])))
  const { score, signs, since, unknown } = candidate
  return {
    rank: 1,
    class: candidate.class,
    component,
    ...confidenceOf({ candidate: { class: candidate.class, score, signs }, claims, against: [], evidence }),
    claims,
    against: [],
    unknown,
    since,
  }
}
