import type { Incident } from '../domain/incident.ts'
import { DATA_KINDS } from '../domain/model-data.ts'
import { type Sight, sees } from '../domain/workspace.ts'
import type { StepAt } from '../investigation/transcript.ts'
import type { IncidentStore, ModelRunStore } from '../ports.ts'

/** What models were asked, for whoever reads it. */
export interface ModelRuns {
  latest(incidentId: string): Promise<SeenRun | null>
  /** Oldest first. */
  trace(incidentId: string): Promise<SeenRun[]>
}

export interface SeenRun {
  number: number
  purpose: 'investigation' | 'question'
  /** The steps stand there without what was said in them. */
  withheld: boolean
  steps: StepAt[]
}

export function allModelRuns(runs: Pick<ModelRunStore, 'latest' | 'trace'>): ModelRuns {
  const whole = (run: Omit<SeenRun, 'withheld'>): SeenRun => ({ ...run, withheld: false })
  return {
    async latest(id) {
      const run = await runs.latest(id)
      return run && whole({ number: run.number, purpose: 'investigation', steps: run.steps })
    },
    trace: async (id) => (await runs.trace(id)).map(whole),
  }
}

/** As somebody sees them who sees only so much: a conversation holds what the model was told, so it is read by whoever may read all of those kinds. */
export function seenModelRuns(runs: ModelRuns, incidents: Pick<IncidentStore, 'get'>, sight: Sight): ModelRuns {
  const narrowed = (run: SeenRun, incident: Incident): SeenRun => {
    const started = run.steps.find((step) => step.kind === 'started')
    const told = DATA_KINDS.filter((kind) => started?.tells.includes(kind) ?? true)
    const isReadable = told.every((kind) => sees(sight, incident, kind))
    return isReadable ? run : { ...run, withheld: true, steps: run.steps.map(withoutWords) }
  }
  return {
    async latest(id) {
      const incident = await incidents.get(id)
      const run = incident && (await runs.latest(id))
      return run ? narrowed(run, incident) : null
    },
    async trace(id) {
      const incident = await incidents.get(id)
      return incident ? (await runs.trace(id)).map((run) => narrowed(run, incident)) : []
    },
  }
}

/** How a step went, without anything that a model or a source said in it. */
function withoutWords(step: StepAt): StepAt {
  switch (step.kind) {
    case 'started':
      return { ...step, system: '', user: '', withheld: [] }
    case 'resumed':
      return { ...step, withheld: [] }
    case 'answered':
      return { ...step, text: '', calls: [], raw: null }
    case 'failed':
      return { ...step, words: '' }
    case 'result':
      return { ...step, labels: [], text: '', short: '' }
    case 'corrected':
      return { ...step, problems: [], text: '' }
    case 'reviewed':
      return { ...step, user: '', words: '', statements: [] }
    case 'ended':
      return { ...step, words: '', opinion: null, answer: null }
    default:
      return step
  }
}
