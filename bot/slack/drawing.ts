import { createHash } from 'node:crypto'
import type { KnownBlock } from '@slack/types'
import { z } from 'zod'
import type { Agent, IncidentView } from '../../agent/agent.ts'
import { type Approval, approvalState } from '../../agent/domain/approval.ts'
import { ENDED_STATES } from '../../agent/domain/incident.ts'
import type { Principal } from '../../agent/domain/principal.ts'
import { altText } from '../charts/alt-text.ts'
import type { Chart } from '../charts/chart.ts'
import { incidentChart } from '../charts/charts.ts'
import { approvalCard } from '../messages/approval-card.ts'
import { approvalPhase } from '../messages/approval-phase.ts'
import { type ActionButton, button, text } from '../messages/card.ts'
import { incidentPage } from '../messages/console-links.ts'
import { incidentCard } from '../messages/incident-card.ts'
import { incidentStateWords, wasActedOn } from '../messages/incident-words.ts'
import { nextStep } from '../messages/next-step.ts'
import { type LinkTo, MOST_PARTS } from '../messages/relation-blocks.ts'
import { bold, plainOf, say } from '../messages/span.ts'
import { clickable } from './clickable.ts'
import { feedbackBar } from './feedback-bar.ts'
import { withMentions } from './mentions.ts'
import { wholeTextSchema } from './overflow.ts'
import { pictureSchema } from './picture.ts'
import { withProgress } from './progress-plan.ts'
import { renderBlocks } from './render.ts'
import type { Message } from './slack-api.ts'
import type { Live } from './streams.ts'

/** What a posting looks like now. */
export type Drawn =
  | {
      type: 'message'
      message: Message
      /** Changes when people should see it at once; an edit for anything else can wait. */
      head: string
      /** Changes whenever it looks different. */
      print: string
      broadcast: boolean
      /** What is shown of it while it is looked for; null once it is there, and for what nobody waits for. */
      live: Live | null
      /** The incident below whose card this stands, where that is another one than its own. */
      below: string | null
      /** What should be shown beside it from now on. */
      also: readonly ('chart' | 'ended')[]
    }
  | { type: 'file'; name: string; body: Buffer; alt: string | null; title: string }
  /** Nothing there to show, and there never will be. */
  | { type: 'nothing'; words: string }

export interface DrawingDeps {
  agent: Pick<Agent, 'incident' | 'approval' | 'people' | 'whoMay' | 'manualOf' | 'incidentSeries'>
  /** Accounts of this workspace by the person they belong to. */
  accountsOf(people: readonly Principal[]): Promise<string[]>
  drawPng(chart: Chart): Promise<Buffer>
  /** Where an incident's card stands; null when it stands nowhere. */
  cardLink(incidentId: string): Promise<string | null>
  /** Where people reach the console; null when they cannot. */
  consoleUrl: string | null
  now: () => Date
}

const stepSchema = z.object({ id: z.string(), title: z.string(), status: z.enum(['in_progress', 'complete', 'error']) })
const liveSchema: z.ZodType<Live> = z.object({
  steps: z.array(stepSchema),
  asker: z.object({ userId: z.string(), teamId: z.string() }),
})

/** What is stored of something that is said once. */
export const saidSchema = z.object({
  text: z.string(),
  blocks: z.array(z.custom<KnownBlock>((block) => typeof block === 'object' && block !== null)),
  broadcast: z.boolean(),
  live: liveSchema.nullish(),
  /** The incident whose diagnosis it tells of, or shows to have been right or wrong. */
  about: z.string().nullish(),
  /** The request whose end it announces nothing but the way to: once that is there, it is not said any more. */
  until: z.string().nullish(),
})

/** Of what is looked for: where each step is an edit, it can wait. */
const LOOKING = 'looking'

export type Drawing = (posting: { kind: string; ref: string; body: unknown; nonce: string }) => Promise<Drawn>

/** Draws postings from the rows as they are now, so that what is shown late shows no old state. */
export function createDrawing(deps: DrawingDeps): Drawing {
  return async ({ kind, ref, body, nonce }) => {
    switch (kind) {
      case 'incident': {
        const view = await deps.agent.incident(ref)
        return view ? await drawIncident(view, nonce, deps) : { type: 'nothing', words: `there is no incident ${ref}` }
      }
      case 'approval': {
        const approval = await deps.agent.approval(ref)
        return approval ? await drawApproval(approval, nonce, deps) : { type: 'nothing', words: `there is no request ${ref}` }
      }
      case 'ended': {
        const view = await deps.agent.incident(ref)
        return view ? drawEnd(view, nonce, deps) : { type: 'nothing', words: `there is no incident ${ref}` }
      }
      case 'chart':
        return await drawChart(ref, deps)
      case 'file': {
        const whole = wholeTextSchema.safeParse(body)
        if (!whole.success) return { type: 'nothing', words: 'what was to be said in full cannot be read' }
        const { name, title, text: words } = whole.data
        return { type: 'file', name, title, body: Buffer.from(words), alt: null }
      }
      case 'picture': {
        const picture = pictureSchema.safeParse(body)
        if (!picture.success) return { type: 'nothing', words: 'what was to be drawn cannot be read' }
        const { name, title, chart } = picture.data
        return { type: 'file', name, title, body: await deps.drawPng(chart), alt: altText(chart).slice(0, 1_000) }
      }
      default: {
        const said = saidSchema.safeParse(body)
        if (!said.success) return { type: 'nothing', words: 'what was to be said cannot be read' }
        const { text: plain, blocks, broadcast, live = null, about = null, until = null } = said.data
        if (until !== null && (await isOver(until, deps))) return { type: 'nothing', words: 'what it announces is over' }
        const words = { text: plain, blocks }
        const judged = about === null ? null : await deps.agent.incident(about)
        const message = judged ? withBar(words, judged, nonce) : words
        const print = sha256([message, live])
        return { type: 'message', message, head: live === null ? print : LOOKING, print, broadcast, live, below: null, also: [] }
      }
    }
  }
}

async function isOver(requestId: string, { agent }: DrawingDeps): Promise<boolean> {
  const approval = await agent.approval(requestId)
  return approval !== null && ['done', 'aborted'].includes(approvalState(approval))
}

/** What came back is a reply to what it was before, seen by the channel as well; what became a part of another has its place below that. */
async function drawIncident(view: IncidentView, nonce: string, deps: DrawingDeps): Promise<Drawn> {
  const { consoleUrl, now } = deps
  const card = incidentCard(view, { now: now(), consoleUrl, offers: offersOf(view), linkTo: await linksOf(view, deps) })
  const rendered = renderBlocks(card)
  const message = { ...rendered, blocks: withProgress(clickable(rendered.blocks, { nonce, approval: null }), view) }
  const { incident, handling, relations, approvals, hypotheses } = view
  const causes = hypotheses.map(({ class: cause }) => cause)
  const head = [incident.state, incident.severity, incident.title, handling, causes, approvals.length, relations]
  const isPart = relations.mergedInto !== null
  const hasSamples = view.evidence.some(({ kind, status }) => status === 'ok' && (kind === 'metrics' || kind === 'symptom'))
  const isOver = ENDED_STATES.includes(incident.state)
  return {
    type: 'message',
    message,
    head: sha256(head),
    print: sha256(message),
    broadcast: !isPart && relations.recurrence !== null,
    live: null,
    below: relations.mergedInto ?? relations.recurrence?.of ?? null,
    also: isPart
      ? []
      : [
          ...(hasSamples && hypotheses.length > 0 ? (['chart'] as const) : []),
          // What was carried out says its own end.
          ...(isOver && !wasActedOn(approvals) ? (['ended'] as const) : []),
        ],
  }
}

/** The cards of the others, else their pages. */
async function linksOf({ relations }: IncidentView, { cardLink, consoleUrl }: DrawingDeps): Promise<LinkTo> {
  const { recurrence, backAs, mergedInto, parts } = relations
  const ids = [recurrence?.of, backAs, mergedInto, ...parts.slice(0, MOST_PARTS)].filter((id) => id != null)
  const links = new Map(await Promise.all(ids.map(async (id) => [id, await cardLink(id)] as const)))
  return (id) => links.get(id) ?? (consoleUrl === null ? null : incidentPage(consoleUrl, id))
}

/** For the channel: that it is over, where nothing that was carried out says so. */
function drawEnd(view: IncidentView, nonce: string, { now }: DrawingDeps): Drawn {
  const words = say`${bold(view.incident.title)}: ${incidentStateWords(view)}. ${nextStep(view, now())}`
  const said = renderBlocks({ kind: 'answer', ref: '', notification: plainOf(words), blocks: [text(words)] })
  const message = withBar(said, view, nonce)
  return { type: 'message', message, head: '', print: '', broadcast: true, live: null, below: null, also: [] }
}

/** Where there is a diagnosis that can be right or wrong. */
function withBar({ text: words, blocks }: Message, { incident, hypotheses }: IncidentView, nonce: string): Message {
  return { text: words, blocks: hypotheses.length === 0 ? blocks : [...blocks, feedbackBar(incident.id, nonce)] }
}

/** What can be done with an incident from its card; everything else is a command. */
function offersOf({ incident, handling, hypotheses }: IncidentView): ActionButton[] {
  const { id } = incident
  const verdicts = [
    button('feedback', 'The diagnosis is right', `${id} right`),
    button('feedback', 'The diagnosis is wrong', `${id} wrong`),
  ]
  const judged = hypotheses.length > 0 ? verdicts : []
  if (ENDED_STATES.includes(incident.state)) return judged
  return [
    handling.taken ? button('take', 'Give back', `${id} back`) : button('take', 'Take', id),
    button('resolve', 'Resolve', id),
    handling.snoozed ? button('snooze', 'Wake', `${id} off`) : button('snooze', 'Snooze for 1 h', `${id} 1h`),
    ...judged,
  ]
}

async function drawApproval(approval: Approval, nonce: string, deps: DrawingDeps): Promise<Drawn> {
  const { agent, consoleUrl } = deps
  const now = deps.now()
  const phase = approvalPhase(approval, now)
  const whoMay = phase === 'asking' ? await agent.whoMay(approval.id) : []
  const names = new Map((await agent.people()).map(({ id, name }) => [id, name]))
  const card = approvalCard(approval, {
    now,
    whoMay: whoMay.map(({ id }) => id),
    names: (id) => names.get(id) ?? id,
    manual: agent.manualOf(approval.plan),
    consoleUrl,
  })
  const rendered = renderBlocks(card)
  const bound = clickable(rendered.blocks, { nonce, approval })
  const message = { text: rendered.text, blocks: phase === 'asking' ? withMentions(bound, await deps.accountsOf(whoMay)) : bound }
  return {
    type: 'message',
    message,
    head: sha256([phase, approval.votes]),
    print: sha256(message),
    broadcast: true,
    live: null,
    below: null,
    also: [],
  }
}

async function drawChart(incidentId: string, { agent, drawPng }: DrawingDeps): Promise<Drawn> {
  const series = await agent.incidentSeries(incidentId)
  const chart = series ? incidentChart(series) : null
  if (chart === null || chart.points.length === 0) return { type: 'nothing', words: 'there are no samples to draw' }
  const name = `steadyhand-${incidentId}.png`
  return { type: 'file', name, body: await drawPng(chart), alt: altText(chart).slice(0, 1_000), title: `The metric of ${incidentId}` }
}

function sha256(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex')
}
