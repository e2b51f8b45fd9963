import { IntegrationError } from '../../integrations/errors.ts'
import type { Parameters } from '../../integrations/ports/action.ts'
import { classWords } from '../diagnosis/wording.ts'
import { ENDED_STATES, type Incident } from '../domain/incident.ts'
import { type HandlingState, heldBy } from '../handling/state.ts'
import type { CatalogEntry } from './catalog.ts'
import { firstFit, type ProposalInput, type ProposeDeps, weighAction } from './propose.ts'

/** Why the agent does not propose an action in an incident, one sentence each; empty when it would propose it now. */
export interface WhyNot {
  incident: Incident
  reasons: string[]
}

/**
 * Asks for one action everything that is asked when the agent looks for one to propose, by the same code: who looks after the incident, whether it fits
 * the cause, whether another one comes first, and what weighs against it. Changes nothing.
 */
export async function whyNotProposed(
  deps: ProposeDeps,
  input: Omit<ProposalInput, 'requester' | 'asked'>,
  wanted: { entry: CatalogEntry; service: string; defaults: Parameters },
  handling: HandlingState,
): Promise<WhyNot> {
  const { incident, hypothesis } = input
  if (ENDED_STATES.includes(incident.state)) return { incident, reasons: ['The incident is over.'] }
  const { action } = wanted.entry
  const place = { service: incident.service, environment: incident.environment }
  try {
    const [suggestion, first] = await Promise.all([action.suggest(hypothesis, place), firstFit(deps.catalog, hypothesis, incident)])
    const fits = suggestion?.target.name === wanted.service ? suggestion : null
    const other = first && (first.entry !== wanted.entry || fits === null) ? first : null
    const target = { environment: incident.environment, name: wanted.service }
    const weighed = await weighAction(
      deps,
      { ...input, requester: null, asked: false },
      wanted.entry,
      fits ?? { target, parameters: wanted.defaults },
    )
    const held = heldBy(handling)
    // Nobody said which parameters: that some are missing says nothing of the action.
    const isOfOurMaking = fits === null && weighed.result === 'held-back' && weighed.code === 'invalid-parameters'
    return {
      incident,
      reasons: [
        ...(held ? [held.words] : []),
        ...(fits ? [] : [fitWords(input, wanted.service)]),
        ...(other
          ? [`What fits the cause is ${other.entry.action.definition.kind} of ${other.suggestion.target.name}: ${other.suggestion.why}`]
          : []),
        ...(weighed.result === 'fits' || isOfOurMaking ? [] : [sentence(weighed.words)]),
      ],
    }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { incident, reasons: [`The target cannot be read: ${error.message}.`] }
  }
}

function fitWords({ hypothesis: { class: cause, component } }: Pick<ProposalInput, 'hypothesis'>, service: string): string {
  if (cause === 'unknown') return 'The cause is not known, so no action is suggested.'
  return `It is no cure for the suspected cause: ${classWords(cause)} of ${component}${component.endsWith(`/${service}`) ? '' : `, not of ${service}`}.`
}

function sentence(words: string): string {
  return /[.?!]$/.test(words) ? words : `${words}.`
}
