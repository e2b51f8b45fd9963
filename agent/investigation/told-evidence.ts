import { type DataKind, mayTell } from '../domain/model-data.ts'
import type { IncidentStore } from '../ports.ts'
import type { LoopDeps } from './loop.ts'

/** Evidence of one incident as far as a model may be told of it: what it finds is kept, and what is stored is shown, of the allowed kinds only. */
export function toldEvidence(
  kept: Pick<IncidentStore, 'addEvidence'>,
  seen: Pick<IncidentStore, 'evidenceItem'>,
  incidentId: string,
  allowed: ReadonlySet<DataKind>,
): Pick<LoopDeps, 'keep' | 'stored'> {
  return {
    keep: async (found) =>
      await kept.addEvidence(
        incidentId,
        found.filter(({ kind }) => mayTell(kind, allowed)),
      ),
    async stored(label) {
      const item = await seen.evidenceItem(incidentId, label)
      return item && mayTell(item.kind, allowed) ? item : null
    },
  }
}
