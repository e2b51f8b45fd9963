import { z } from 'zod'
import type { ModelTool } from '../../integrations/ports/model.ts'
import type { Alert } from '../domain/alert.ts'
import type { EvidenceSummary } from '../domain/evidence.ts'
import type { Claim, Hypothesis } from '../domain/hypothesis.ts'
import type { Incident } from '../domain/incident.ts'
import { DATA_KINDS, type DataKind, mayTell } from '../domain/model-data.ts'
import { loadPrompt, type Prompt } from '../prompts.ts'
import type { Tool } from '../tools/define-tool.ts'
import { toolsFor } from '../tools/registry.ts'
import { answerReportSchema } from './model-answer.ts'
import { classNames, reportSchema, reviewSchema } from './opinion.ts'
import { asData, asName } from './quarantine.ts'
import { summarised } from './sample.ts'

/** The tools by which a model hands in what it thinks, or answers; they end what it is at, and reach nothing. */
export const REPORT = 'report_diagnosis'
export const ANSWER = 'answer_question'
export const REVIEW = 'review_diagnosis'

const EVIDENCE_SHOWN = 24
const SUMMARY_MAX = 260
const ALERTS_SHOWN = 5
const ALERT_MAX = 300
const CLAIMS_SHOWN = 4
const QUESTION_MAX = 600

/** All words for a model, with their versions. */
export interface ModelPrompts {
  /** Ids and versions of what was rendered, for the trace. */
  used: readonly { id: string; version: number }[]
  system(values: { calls: number }): string
  incident(facts: IncidentFacts): string
  repair(problems: readonly string[]): string
  lastTurn: string
  /** As they are described to a provider that may have this data. */
  tools(allowed: ReadonlySet<DataKind>): ModelTool[]
  /** A tool of somebody else's server; `description` is its owner's, in a frame. */
  outside(values: { server: string; kind: DataKind; description: string }): string
  report: ModelTool
  /** For whoever is to refute a cause; its tool is all it has. */
  review: {
    used: readonly { id: string; version: number }[]
    system: string
    ask(cause: Pick<Hypothesis, 'class' | 'component' | 'claims' | 'against'>, facts: IncidentFacts, evidence: string): string
    report: ModelTool
  }
  /** The same for one question of a person. */
  question: {
    used: readonly { id: string; version: number }[]
    system(values: { calls: number }): string
    ask(question: string, facts: IncidentFacts): string
    repair(problems: readonly string[]): string
    lastTurn: string
    report: ModelTool
  }
}

export interface IncidentFacts {
  incident: Pick<Incident, 'id' | 'service' | 'environment' | 'severity'>
  since: Date
  now: Date
  services: readonly string[]
  alerts: readonly Pick<Alert, 'source' | 'name' | 'summary' | 'status'>[]
  hypotheses: readonly Hypothesis[]
  evidence: readonly EvidenceSummary[]
  allowed: ReadonlySet<DataKind>
}

/** Reads the prompts; @throws Error when one is missing or malformed, so that it is known at the start. */
export function loadModelPrompts(): ModelPrompts {
  const [investigate, incident, repair, last] = [
    loadPrompt('investigate'),
    loadPrompt('incident'),
    loadPrompt('repair'),
    loadPrompt('last-turn'),
  ]
  const [answer, question] = [loadPrompt('answer'), loadPrompt('question')]
  const [report, answered] = [loadPrompt(`tools/${REPORT}`), loadPrompt(`tools/${ANSWER}`)]
  const [review, reviewed, verdict] = [loadPrompt('review'), loadPrompt('reviewed'), loadPrompt(`tools/${REVIEW}`)]
  const outside = loadPrompt('tools/outside')
  const tools = new Map([...toolsFor(EVERYTHING).values()].map((tool) => [tool.name, loadPrompt(`tools/${tool.name}`)]))
  const repairOf =
    (tool: string) =>
    (problems: readonly string[]): string =>
      repair.render({ problems: problems.map(asName).join('; '), report: tool })
  return {
    used: [investigate, incident, repair, last, report, outside, ...tools.values()].map(versionOf),
    system: ({ calls }) => investigate.render({ calls: String(calls), report: REPORT }),
    incident: (facts) => incidentText(incident, facts),
    repair: repairOf(REPORT),
    lastTurn: last.render({ report: REPORT }),
    tools: (allowed) => [...toolsFor(allowed).values()].map((tool) => described(tool, tools.get(tool.name))),
    outside: (values) => outside.render(values),
    report: { name: REPORT, description: report.render({ classes: classNames() }), input: inputOf(reportSchema) },
    review: {
      used: [review, reviewed, incident, verdict].map(versionOf),
      system: review.render({ report: REVIEW }),
      ask: (cause, facts, evidence) =>
        reviewed.render({
          ...{ incident: incidentText(incident, facts), cause: `${cause.class} of ${asName(cause.component)}`, evidence },
          claims: asData({ label: 'claims', kind: 'model', trust: 'chat' }, claimLines(cause), 1_200),
        }),
      report: { name: REVIEW, description: verdict.render({}), input: inputOf(reviewSchema) },
    },
    question: {
      used: [answer, question, incident, repair, last, answered, outside, ...tools.values()].map(versionOf),
      system: ({ calls }) => answer.render({ calls: String(calls), report: ANSWER }),
      ask: (text, facts) =>
        question.render({
          question: asData({ label: 'question', kind: 'question', trust: 'chat' }, text, QUESTION_MAX),
          incident: incidentText(incident, facts),
        }),
      repair: repairOf(ANSWER),
      lastTurn: last.render({ report: ANSWER }),
      report: { name: ANSWER, description: answered.render({}), input: inputOf(answerReportSchema) },
    },
  }
}

function versionOf({ id, version }: Prompt): { id: string; version: number } {
  return { id, version }
}

const EVERYTHING: ReadonlySet<DataKind> = new Set(DATA_KINDS)

function described(tool: Tool, prompt: Prompt | undefined): ModelTool {
  return { name: tool.name, description: prompt?.render({}) ?? '', input: inputOf(tool.input) }
}

/** JSON Schema without what only costs tokens. */
function inputOf(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema)
  return rest
}

function incidentText(prompt: Prompt, facts: IncidentFacts): string {
  const { incident, since, now, allowed } = facts
  return prompt.render({
    ...{ incident: asName(incident.id), service: asName(incident.service), environment: asName(incident.environment) },
    ...{ severity: String(incident.severity), since: since.toISOString(), now: now.toISOString() },
    services: facts.services.map(asName).join(', '),
    alerts: allowed.has('alerts') ? alertLines(facts.alerts) : 'not told to this model',
    hypotheses: facts.hypotheses.map((hypothesis) => hypothesisLines(hypothesis, facts)).join('\n') || 'nothing yet',
    evidence: evidenceLines(facts) || 'none',
  })
}

function alertLines(alerts: IncidentFacts['alerts']): string {
  const shown = alerts.slice(0, ALERTS_SHOWN).map(({ source, name, summary, status }) => {
    const text = `${name} (${status}, from ${source})${summary ? `: ${summary}` : ''}`
    return asData({ label: 'alert', kind: 'alert', trust: 'log' }, text, ALERT_MAX)
  })
  return shown.join('\n') || 'nothing'
}

/** The rules' own words hold quotations from outside, so they stand in the same frame; what rests on data that may not be told is left out. */
function hypothesisLines(
  { class: cause, component, confidence, claims, against }: Hypothesis,
  { evidence, allowed }: IncidentFacts,
): string {
  const kinds = new Map(evidence.map(({ label, kind }) => [label, kind]))
  const told = (statements: readonly Claim[]): Claim[] =>
    statements.filter(({ cites }) => cites.length > 0 && cites.every((label) => mayTell(kinds.get(label) ?? '', allowed)))
  const lines = [
    ...told(claims)
      .slice(0, CLAIMS_SHOWN)
      .map(({ text, cites }) => `for: ${text} [${cites.join(', ')}]`),
    ...told(against)
      .slice(0, 2)
      .map(({ text, cites }) => `against: ${text} [${cites.join(', ')}]`),
  ]
  const head = `- ${cause} of ${asName(component)}, ${confidence} %`
  return lines.length === 0 ? head : `${head}\n${asData({ label: 'rules', kind: 'rules', trust: 'log' }, lines.join('\n'), 1_200)}`
}

/** What speaks for a cause and against it, one a line. */
function claimLines({ claims, against }: Pick<Hypothesis, 'claims' | 'against'>): string {
  const lines = (word: string, statements: readonly Claim[]): string[] =>
    statements.filter(({ supported }) => supported).map(({ text, cites }) => `${word}: ${text} [${cites.join(', ')}]`)
  return [...lines('for', claims), ...lines('against', against)].join('\n')
}

/** The newest of what may be told, each in a line. */
function evidenceLines({ evidence, allowed }: IncidentFacts): string {
  const told = evidence.filter(({ kind }) => mayTell(kind, allowed)).slice(-EVIDENCE_SHOWN)
  return told.map((item) => summarised(item, SUMMARY_MAX)).join('\n')
}
