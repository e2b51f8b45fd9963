import { z } from 'zod'
import type { Agent, Handling, IncidentView } from '../../agent/agent.ts'
import { INCIDENT_STATES } from '../../agent/domain/incident.ts'
import type { SaidMessage } from '../console/surface.ts'
import { HttpProblem } from '../problem.ts'
import { type Endpoint, endpoint } from './endpoint.ts'
import { handlingEndpoints } from './handling.ts'
import { idSchema, listOf, pageQuerySchema, readPage } from './lists.ts'
import { type Card, incidentSchema, incidentSummarySchema, showIncident, showIncidentSummary } from './shapes.ts'
import { textSchema } from './text.ts'

export interface IncidentApiDeps {
  agent: Pick<Agent, 'incident' | 'incidents' | keyof Handling>
  /** The cards of each incident as they stand now. */
  renderCards(views: readonly IncidentView[]): Promise<Card[][]>
  /** What was said in the incident's thread, oldest first. */
  thread(incidentId: string): Promise<SaidMessage[]>
  now: () => Date
}

const listQuerySchema = pageQuerySchema.extend({
  state: z.enum([...INCIDENT_STATES, 'active']).optional(),
  service: textSchema(200, 1).optional(),
  shape: z.enum(['full', 'summary']).default('full'),
})

/** A full view is large, so a page holds fewer of them than were asked for; the cursor leads on. */
const MOST_FULL = 50
const INCIDENTS = { name: 'incidents', cursor: /^[A-Za-z0-9_-]{1,100}$/ }

export function incidentEndpoints({ agent, renderCards, thread, now }: IncidentApiDeps): Endpoint[] {
  const show = async (views: readonly IncidentView[]) => {
    const cards = await renderCards(views)
    return await Promise.all(views.map(async (view, index) => showIncident(view, cards[index] ?? [], await thread(view.incident.id))))
  }
  const one = async (id: string) => {
    const view = await agent.incident(id)
    const [shown] = view ? await show([view]) : []
    if (!shown) throw new HttpProblem('unknown-incident')
    return shown
  }
  return [
    endpoint({
      method: 'get',
      path: '/api/v1/incidents',
      name: 'listIncidents',
      summary: 'Incidents, newest first. `state=active` is every state that is not an end; `shape=summary` leaves the details out.',
      access: 'caller',
      query: listQuerySchema,
      answers: { 200: { words: 'One page of incidents.', schema: listOf(z.union([incidentSchema, incidentSummarySchema])) } },
      problems: ['invalid-query', 'invalid-cursor'],
      async handle({ query: { state, service, shape, ...page } }) {
        const filter = { ...(state === undefined ? {} : { state }), ...(service === undefined ? {} : { service }) }
        const limit = shape === 'full' ? Math.min(page.limit, MOST_FULL) : page.limit
        const { items, next } = await readPage(INCIDENTS, { ...page, limit }, (from) => agent.incidents({ ...filter, ...from }))
        if (shape === 'summary') return { body: { items: items.map(showIncidentSummary), next } }
        const views = await Promise.all(items.map(({ id }) => agent.incident(id)))
        return { body: { items: await show(views.filter((view) => view !== null)), next } }
      },
    }),
    ...handlingEndpoints({ agent, now, show: one }),
    endpoint({
      method: 'get',
      path: '/api/v1/incidents/{id}',
      name: 'getIncident',
      summary: 'One incident with its evidence, diagnosis, plans, timeline, and its cards as Block Kit.',
      access: 'caller',
      params: idSchema,
      answers: { 200: { words: 'The incident.', schema: incidentSchema } },
      problems: ['unknown-incident'],
      handle: async ({ params }) => ({ body: await one(params.id) }),
    }),
  ]
}
