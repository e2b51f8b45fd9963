import { setTimeout as pause } from 'node:timers/promises'
import type { z } from 'zod'
import { runSchema } from '../api/drills.ts'
import { approvalSchema, incidentSchema } from '../api/shapes.ts'
import { KEEP_SECONDS } from '../messages/plan-facts.ts'
import { type ApiClient, RefusedCall } from './api-client.ts'
import { cardLines } from './card-text.ts'
import type { ScriptedPeople, WireApproval } from './scripted-people.ts'
import { type Terminal, wrap } from './terminal.ts'

export type DrillRun = z.infer<typeof runSchema>
type Incident = z.infer<typeof incidentSchema>

const LOOK_EVERY_MS = 250

export interface TranscriptDeps {
  api: ApiClient
  terminal: Terminal
  now: () => Date
  /** Null: people decide by themselves, in the console or in chat. */
  people: ScriptedPeople | null
}

/** Follows a run to its end and tells what happens as it happens. */
export async function followRun(deps: TranscriptDeps, run: string): Promise<DrillRun> {
  const { api, terminal, now } = deps
  const teller = createTeller(deps)
  let since = now().getTime()
  for (;;) {
    const seen = await api.call('GET', `/api/v1/drills/${run}`, runSchema)
    const incident = seen.incident === null ? null : await api.call('GET', `/api/v1/incidents/${seen.incident}`, incidentSchema)
    if (await teller.tell(incident)) since = now().getTime()
    for (const id of seen.approvals)
      if (await teller.decide(await api.call('GET', `/api/v1/approvals/${id}`, approvalSchema), incident)) since = now().getTime()
    if (seen.state !== 'running') {
      terminal.progress(null)
      return seen
    }
    const seconds = Math.floor((now().getTime() - since) / 1_000)
    if (seconds >= 2) terminal.progress(`… ${waitingFor(seen, incident, deps)} (${seconds} s)`)
    await pause(LOOK_EVERY_MS)
  }
}

/** What the run waits for now. */
export function waitingFor(
  run: Pick<DrillRun, 'approvals'>,
  incident: Pick<Incident, 'id' | 'state' | 'endedAt' | 'timeline'> | null,
  { people, api, now }: { people: object | null; api: Pick<ApiClient, 'url'>; now: () => Date },
): string {
  if (incident === null) return 'waiting for the alert'
  if (incident.state === 'awaiting-approval' && people === null) return `waiting for a click at ${api.url}/#/incidents/${incident.id}`
  if (incident.state === 'verifying') {
    const failed = incident.timeline.findLast(({ kind }) => kind.startsWith('execution-'))
    return failed?.kind === 'execution-failed' ? undoWait(failed.at, now()) : 'verifying from telemetry'
  }
  if (incident.endedAt !== null) return 'putting the target back'
  return run.approvals.length === 0 ? 'investigating' : 'waiting'
}

function undoWait(failedAt: string, now: Date): string {
  const left = Math.ceil(KEEP_SECONDS - (now.getTime() - Date.parse(failedAt)) / 1_000)
  return left > 0 ? `did not help; will be undone in ${left} s unless somebody presses Keep` : 'did not help; it is being undone'
}

interface Teller {
  /** Says what is new about the incident; whether anything was. */
  tell(incident: Incident | null): Promise<boolean>
  /** Shows a card that asks, and lets the scripted people decide. */
  decide(approval: WireApproval, incident: Incident | null): Promise<boolean>
}

function createTeller({ terminal, people, api }: TranscriptDeps): Teller {
  const told = new Set<string>()
  const asked = new Set<string>()
  let diagnosed = false
  const sayLine = (at: string, text: string): void => {
    const [first = '', ...rest] = wrap(text, '          ')
    terminal.say(`${at.slice(11, 19)}  ${first.trim()}`)
    for (const line of rest) terminal.say(line)
  }
  const tellDiagnosis = (incident: Incident): void => {
    const [first] = incident.hypotheses
    if (diagnosed || !first || first.class === 'unknown') return
    diagnosed = true
    terminal.say(`          Suspected cause: ${first.class} of ${first.component}, confidence ${Math.round(first.confidence)} %`)
    for (const claim of first.claims)
      for (const line of wrap(`${claim.text} (${claim.cites.join(', ')})`, '            ')) terminal.say(line)
  }
  return {
    async tell(incident) {
      if (incident === null) return false
      const fresh = incident.timeline.filter(({ at, kind, text }) => !told.has(`${at} ${kind} ${text}`))
      for (const event of fresh) {
        told.add(`${event.at} ${event.kind} ${event.text}`)
        sayLine(event.at, event.text)
        if (event.kind === 'diagnosis-made') tellDiagnosis(incident)
      }
      return fresh.length > 0
    },
    async decide(approval, incident) {
      const card = incident?.cards.find(({ kind, ref }) => kind === 'approval' && ref === approval.id)
      if (approval.state !== 'pending' || asked.has(approval.id) || !card) return false
      asked.add(approval.id)
      terminal.say()
      for (const line of cardLines(card.blocks).flatMap((text) => wrap(text, '  │ '))) terminal.say(line)
      terminal.say()
      if (people === null) {
        terminal.say(`          Decide at ${api.url}/#/incidents/${approval.incident}`)
        return true
      }
      const refused = await people.refuse(approval)
      if (refused) terminal.say(`          ${refused.name} tries to approve and is refused: ${refused.words}`)
      await approveOrTell(people, approval, terminal)
      return true
    },
  }
}

/** Between the card and the click the world may move on: that is told, and the run goes on. */
async function approveOrTell(people: ScriptedPeople, approval: WireApproval, terminal: Terminal): Promise<void> {
  try {
    const names = await people.approve(approval)
    terminal.say(`          ${names.join(' and ')} approve${names.length === 1 ? 's' : ''} digest ${approval.digest.slice(0, 12)}`)
  } catch (error) {
    if (!(error instanceof RefusedCall)) throw error
    terminal.say(`          The click came too late: ${error.message}`)
  }
}
