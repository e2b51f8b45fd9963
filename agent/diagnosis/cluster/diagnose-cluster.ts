import type { ClusterState } from '../../../integrations/ports/cluster-state.ts'
import type { ClusterRule, Finding } from './finding.ts'
import { addresses } from './rules/addresses.ts'
import { admission } from './rules/admission.ts'
import { ended } from './rules/ended.ts'
import { healed } from './rules/healed.ts'
import { logSigns } from './rules/log-signs.ts'
import { measured } from './rules/measured.ts'
import { networkPolicies } from './rules/network-policies.ts'
import { nodes } from './rules/nodes.ts'
import { podStart } from './rules/pods.ts'
import { probes } from './rules/probes.ts'
import { scheduling } from './rules/scheduling.ts'
import { services } from './rules/services.ts'
import { slowness } from './rules/slowness.ts'
import { storage } from './rules/storage.ts'

const RULES: readonly ClusterRule[] = [
  nodes,
  admission,
  storage,
  scheduling,
  podStart,
  probes,
  services,
  networkPolicies,
  addresses,
  ended,
  slowness,
  measured,
  logSigns,
  healed,
]
const MAX_FINDINGS = 3
/** Below this it is a guess, and the diagnosis is that the cause is unknown. */
const ENOUGH = 55
/** What the question names is looked at first. */
const NAMED_BONUS = 6

/**
 * What is wrong in a cluster, the likeliest first; `unknown` where no rule finds enough. Several pods with the same trouble are one finding.
 * `about` are the names that the alert or the question speaks of: they may be victims, so they decide only between equals. Pure.
 */
export function diagnoseCluster(state: ClusterState, about: readonly string[] = []): Finding[] {
  const found = RULES.flatMap((rule) => rule(state))
  const merged = [...Map.groupBy(found, (finding) => `${finding.class} ${finding.component}`).values()].flatMap((same) => same.slice(0, 1))
  const rank = (finding: Finding): number =>
    finding.score + (about.some((name) => finding.component.endsWith(`/${name}`)) ? NAMED_BONUS : 0)
  const ranked = merged.toSorted((a, b) => rank(b) - rank(a) || (a.component < b.component ? -1 : 1)).slice(0, MAX_FINDINGS)
  const [first] = ranked
  return first && first.score >= ENOUGH ? ranked : [unknown(state), ...ranked].slice(0, MAX_FINDINGS)
}

function unknown(state: ClusterState): Finding {
  const parts = ['pods', 'workloads', 'services', 'nodes', 'events'] as const
  const missing = parts.filter((part) => state[part] === null)
  return {
    class: 'unknown',
    component: `namespace/${state.namespace}`,
    score: 40,
    words: `No cause was found in what was read.${missing.length === 0 ? '' : ` Not seen: ${missing.join(', ')}.`}`,
    quotes: [],
    since: null,
  }
}
