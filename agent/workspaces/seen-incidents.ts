import type { EvidenceItem } from '../domain/evidence.ts'
import type { Hypothesis } from '../domain/hypothesis.ts'
import type { Incident } from '../domain/incident.ts'
import { type DataKind, dataKindOf } from '../domain/model-data.ts'
import { type Sight, sees } from '../domain/workspace.ts'
import type { IncidentStore } from '../ports.ts'

/** Incidents to be read; what is written is written to the store itself. */
export type SeenIncidents = Pick<
  IncidentStore,
  'get' | 'list' | 'timeline' | 'alerts' | 'evidence' | 'evidenceSummaries' | 'evidenceItem' | 'hypotheses' | 'feedback'
>

/** Incidents as somebody sees them who sees only so much: what is not seen is answered like what is not there. */
export function seenIncidents(incidents: SeenIncidents, sight: Sight): SeenIncidents {
  const get = async (id: string): Promise<Incident | null> => {
    const incident = await incidents.get(id)
    return incident && sees(sight, incident) ? incident : null
  }
  const ifSeen = async <T>(id: string, read: (incident: Incident) => Promise<T>, otherwise: T): Promise<T> => {
    const incident = await get(id)
    return incident ? await read(incident) : otherwise
  }
  return {
    get,
    list: async ({ fits = () => true, ...query }) =>
      await incidents.list({ ...query, fits: (incident) => sees(sight, incident) && fits(incident) }),
    timeline: async (id) => await ifSeen(id, () => incidents.timeline(id), []),
    alerts: async (id) => await ifSeen(id, async (incident) => (sees(sight, incident, 'alerts') ? await incidents.alerts(id) : []), []),
    evidence: async (id) => await ifSeen(id, async (incident) => readable(await incidents.evidence(id), incident, sight), []),
    evidenceSummaries: async (id) =>
      await ifSeen(id, async (incident) => readable(await incidents.evidenceSummaries(id), incident, sight), []),
    evidenceItem: async (id, label) =>
      await ifSeen(
        id,
        async (incident) => {
          const item = await incidents.evidenceItem(id, label)
          return item && isReadable(item.kind, incident, sight) ? item : null
        },
        null,
      ),
    hypotheses: async (id) =>
      await ifSeen(
        id,
        async (incident) => {
          const [hypotheses, evidence] = await Promise.all([incidents.hypotheses(id), incidents.evidenceSummaries(id)])
          const shown = new Set(readable(evidence, incident, sight).map(({ label }) => label))
          return shown.size === evidence.length ? hypotheses : hypotheses.map((each) => withoutClaimsBeyond(each, shown))
        },
        [],
      ),
    feedback: async (id) => await ifSeen(id, () => incidents.feedback(id), []),
  }
}

function readable<Item extends Pick<EvidenceItem, 'kind'>>(items: readonly Item[], incident: Incident, sight: Sight): Item[] {
  return items.filter(({ kind }) => isReadable(kind, incident, sight))
}

/** What is of no kind that the settings know is read by whoever sees everything, and nobody else. */
function isReadable(evidenceKind: string, incident: Incident, sight: Sight): boolean {
  const kind: DataKind | null = dataKindOf(evidenceKind)
  return kind !== null && sees(sight, incident, kind)
}

/** A sentence says what its evidence says; what is said to be unknown cites nothing, and may say it too. */
function withoutClaimsBeyond(hypothesis: Hypothesis, shown: ReadonlySet<string>): Hypothesis {
  const kept = (claims: Hypothesis['claims']): Hypothesis['claims'] =>
    claims.filter(({ cites }) => cites.every((label) => shown.has(label)))
  return { ...hypothesis, claims: kept(hypothesis.claims), against: kept(hypothesis.against), unknown: [] }
}
