import { z } from 'zod'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition } from '../../ports/action.ts'
import { CERTIFICATE_OF } from '../catalogue.ts'
import { nextCertificate, showCertificate } from '../equipment.ts'
import {
  type ActionDeps,
  blamedService,
  COMMON_DEFINITION,
  carryOut,
  commonReads,
  doCommand,
  expectedField,
  numberOf,
  observeService,
  requireTarget,
} from './carry-out.ts'
import { healthyContract, restoredContract } from './contracts.ts'

const definition: ActionDefinition = {
  ...COMMON_DEFINITION,
  kind: 'local.renew-certificate',
  version: 1,
  description: 'Makes a new certificate for the door of a service of the local target and shows it there, without closing the door.',
  parameters: z.strictObject({ certificate: z.int().min(1).max(1_000_000) }),
  reversibility: 'compensable',
  risk: 'caution',
}

const PINNED = ['uid', 'certificate']
const CURES = new Set<string>(['certificate_expiring', 'certificate_expired'])
/** Well beyond the bound of the alert. */
const DAYS_BOUND = '30'

export function createRenewCertificate(deps: ActionDeps): Action {
  const isKnown = (number: number): boolean => {
    const { equipment } = deps.state.current()
    return number === nextCertificate(equipment) || equipment.certificates.made.some((known) => known.number === number)
  }
  return {
    ...commonReads(deps),
    definition,
    title: (target, parameters) => {
      const number = numberOf(parameters, 'certificate')
      const isNew = number === nextCertificate(deps.state.current().equipment)
      return isNew ? `Renew the certificate of ${target.name}` : `Show certificate ${number} of ${target.name} again`
    },
    async suggest({ class: cause, component }, { environment }) {
      const name = blamedService(component, environment)
      if (!CURES.has(cause) || name !== CERTIFICATE_OF) return null
      const parameters = { certificate: nextCertificate(deps.state.current().equipment) }
      return { target: { environment, name }, parameters, why: 'A new certificate is valid for more than a year.' }
    },
    observe: async (where) => (where.name === CERTIFICATE_OF ? observeService(deps, where, PINNED) : null),
    async dryRun(step) {
      requireTarget(deps, step)
      const number = numberOf(step.parameters, 'certificate')
      if (!isKnown(number))
        throw new IntegrationError('local', 'not_found', `${step.target.name} has no certificate ${number}, nor is it next`)
      const changes = [{ field: 'certificate', from: expectedField(deps, step, 'certificate'), to: number }]
      return { changes, downtime: 'none, the door stays open' }
    },
    success: (step) =>
      healthyContract(
        step.target.name,
        [{ field: 'certificate', equals: numberOf(step.parameters, 'certificate') }],
        [{ service: step.target.name, metric: 'certificate_days_left', comparator: '>=', threshold: DAYS_BOUND, unit: 'days' }],
      ),
    undo(step, observation) {
      const captured = observation.preconditions.find(({ field }) => field === 'certificate')?.equals
      if (typeof captured !== 'number') return null
      return {
        parameters: { certificate: captured },
        preconditions: [
          { field: 'uid', equals: step.target.uid },
          { field: 'certificate', equals: numberOf(step.parameters, 'certificate') },
        ],
        success: restoredContract([{ field: 'certificate', equals: captured }]),
      }
    },
    async effect(step, id, signal) {
      const number = numberOf(step.parameters, 'certificate')
      if (!isKnown(number)) return { result: 'refused', reason: 'invalid', words: `there is no certificate ${number}, nor is it next` }
      const summary = `${step.target.name} shows certificate ${number}`
      return carryOut(deps, step, { summary, change: (equipment) => showCertificate(equipment, number, deps.now()) }, { id, signal })
    },
    byHand: {
      defaults: async () => ({ certificate: nextCertificate(deps.state.current().equipment) }),
      command: (step) => doCommand('renew-certificate', step),
    },
  }
}
