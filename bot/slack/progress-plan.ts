import type { KnownBlock, PlanBlock } from '@slack/types'
import type { IncidentView } from '../../agent/agent.ts'
import { ENDED_STATES } from '../../agent/domain/incident.ts'
import { LIMITS } from './limits.ts'

type Status = 'pending' | 'in_progress' | 'complete'
type Step = [id: string, title: string, status: Status]

/** The line that says the same in words stands above it, for readers and workspaces that show no plan. */
const BELOW = 2

/** A card with what is being looked into and how far that is, while somebody may wait for it; as it was once nobody does. All of it in our own words. */
export function withProgress(blocks: readonly KnownBlock[], view: IncidentView): KnownBlock[] {
  const steps = stepsOf(view)
  if (steps.length === 0 || blocks.length >= LIMITS.blocks) return [...blocks]
  const tasks = steps.map(([task_id, title, status]) => ({ type: 'task_card' as const, task_id, title, status }))
  const plan: PlanBlock = { type: 'plan', title: 'What is being looked into', tasks }
  return [...blocks.slice(0, BELOW), plan, ...blocks.slice(BELOW)]
}

/** None once there is a diagnosis, or after a model, which may take minutes, has said its opinion of it. */
function stepsOf({ incident, evidence, hypotheses, relations, model }: IncidentView): Step[] {
  if (ENDED_STATES.includes(incident.state) || relations.mergedInto !== null) return []
  const unread = evidence.filter(({ status }) => status === 'failed').length
  const collect = `Collect evidence${unread === 0 ? '' : ` (${unread} could not be read)`}`
  if (hypotheses.length === 0) {
    if (incident.state !== 'open' && incident.state !== 'investigating') return []
    const asked: Status = incident.state === 'open' ? 'pending' : 'in_progress'
    const isCollected = evidence.length > 0
    return [
      ['evidence', collect, isCollected ? 'complete' : asked],
      ['causes', 'Rank causes', isCollected ? 'in_progress' : 'pending'],
      ['action', 'Look for an action that helps', 'pending'],
    ]
  }
  if (model === null || model.outcome !== null) return []
  const { calls } = model.spent
  const questions = calls === 0 ? '' : `: ${calls} ${calls === 1 ? 'question' : 'questions'} so far`
  return [
    ['evidence', collect, 'complete'],
    ['causes', 'Rank causes', 'complete'],
    ['model', `Have a model look at it too${questions}`, 'in_progress'],
  ]
}
