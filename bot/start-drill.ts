import type { Agent, DrillRun } from '../agent/agent.ts'
import { meantOrKnown } from '../agent/domain/nearest.ts'
import type { Caller } from './identity.ts'
import { HttpProblem } from './problem.ts'

/** @throws HttpProblem unknown-drill, drill-running */
export async function startDrill(agent: Pick<Agent, 'drills'>, name: string, caller: Caller): Promise<DrillRun> {
  const known = agent.drills.list().map((scenario) => scenario.name)
  if (!known.includes(name)) throw new HttpProblem('unknown-drill', `There is no drill of this name. ${meantOrKnown(name, known)}`)
  try {
    return await agent.drills.start(name, caller.kind === 'person' ? caller.person.id : null)
  } catch (error) {
    if (error instanceof Error && error.name === 'DrillBusy') throw new HttpProblem('drill-running', error.message)
    throw error
  }
}
