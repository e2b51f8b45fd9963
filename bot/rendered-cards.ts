import type { Agent, IncidentView } from '../agent/agent.ts'
import type { Card as ShownCard } from './api/shapes.ts'
import { approvalCard } from './messages/approval-card.ts'
import type { Card } from './messages/card.ts'
import { incidentCard } from './messages/incident-card.ts'

/** A card as Block Kit, with the text of its notification. */
export type RenderCard = (card: Card) => { text: string; blocks: Record<string, unknown>[] }

export interface RenderedCardsDeps {
  agent: Pick<Agent, 'people' | 'whoMay' | 'manualOf'>
  render: RenderCard
  now: () => Date
  /** Where the console is reached, for links; null when nobody but this machine can. */
  consoleUrl: () => string | null
}

/** The cards of incidents as they stand now: the incident's own first, then one for each request, the newest first. */
export function createRenderedCards({
  agent,
  render,
  now,
  consoleUrl,
}: RenderedCardsDeps): (views: readonly IncidentView[]) => Promise<ShownCard[][]> {
  return async (views) => {
    const people = new Map((await agent.people()).map(({ id, name }) => [id, name]))
    const names = (id: string): string => people.get(id) ?? id
    const show = (kind: ShownCard['kind'], card: Card): ShownCard => ({ kind, ref: card.ref, ...render(card) })
    const ofOne = async (view: IncidentView): Promise<ShownCard[]> => {
      const context = { now: now(), consoleUrl: consoleUrl() }
      const requests = view.approvals.map(async (approval) => {
        const whoMay = approval.requestState === 'pending' ? (await agent.whoMay(approval.id)).map(({ id }) => id) : []
        return show('approval', approvalCard(approval, { ...context, whoMay, names, manual: agent.manualOf(approval.plan) }))
      })
      return [show('incident', incidentCard(view, { ...context, pictures: true })), ...(await Promise.all(requests))]
    }
    return await Promise.all(views.map(ofOne))
  }
}
