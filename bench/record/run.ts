import { appendFileSync, existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { ALL_FAULT_CLASSES, type FaultClass } from '../../agent/domain/fault-classes.ts'
import { startControlPlane } from '../../test/support/kubernetes/control-plane.ts'
import type { Figure } from '../report.ts'
import type { BenchOptions } from '../run.ts'
import { recordCase } from './record-case.ts'
import type { Scenario, Scenarios, Target } from './scenario.ts'
import { admissionScenarios } from './scenarios/admission.ts'
import { dataScenarios } from './scenarios/data.ts'
import { imageScenarios } from './scenarios/image.ts'
import { networkScenarios } from './scenarios/network.ts'
import { nodeScenarios } from './scenarios/nodes.ts'
import { probeScenarios } from './scenarios/probes.ts'
import { runtimeScenarios } from './scenarios/runtime.ts'
import { schedulingScenarios } from './scenarios/scheduling.ts'
import { serviceScenarios } from './scenarios/services.ts'
import { startScenarios } from './scenarios/start.ts'
import { storageScenarios } from './scenarios/storage.ts'
import { createStagedCluster, type Kubectl, kubectlOf, type StagedCluster } from './staged-cluster.ts'
import { SYSTEMS } from './systems.ts'

const SCENARIOS: Scenarios = {
  ...imageScenarios,
  ...startScenarios,
  ...probeScenarios,
  ...schedulingScenarios,
  ...storageScenarios,
  ...admissionScenarios,
  ...runtimeScenarios,
  ...serviceScenarios,
  ...nodeScenarios,
  ...networkScenarios,
  ...dataScenarios,
}
const VARIANTS = [0, 1, 2] as const

/**
 * Records cases for `cases`: each class of fault in three systems on a real control plane, asked with its own kubectl. `--only` names classes.
 * `KUBECTL` names the program where it is not beside what the peers' control plane was built of.
 */
export async function run({ out, only }: BenchOptions): Promise<readonly Figure[]> {
  if (out === null) throw new Error('record needs --out DIR: where the cases are written.')
  const plane = await startControlPlane()
  if ('missing' in plane) throw new Error(`this needs ${plane.missing}`)
  const cache = process.env['PEERS_CACHE'] ?? '/var/tmp/steadyhand-peers'
  const kubectl = kubectlOf(process.env['KUBECTL'] ?? join(cache, 'kube', 'kubectl'), plane.kubeconfig)
  const cluster = createStagedCluster(kubectl, plane.kubeconfig)
  const classes = ALL_FAULT_CLASSES.filter((each) => SCENARIOS[each] && (only === null || only.includes(each)))
  try {
    await cluster.refuseIfInUse()
    let recorded = 0
    for (const variant of VARIANTS) for (const cause of classes) recorded += await recordOne({ out, kubectl, cluster }, cause, variant)
    return [{ name: 'cases recorded', value: recorded, unit: '', n: classes.length * VARIANTS.length }]
  } finally {
    await plane.stop()
  }
}

/** What is recorded already stays. @returns how many were recorded: one or none */
async function recordOne({ out, kubectl, cluster }: Place, cause: FaultClass, variant: 0 | 1 | 2): Promise<number> {
  const target = targetOf(cause, variant)
  const fault = (SCENARIOS[cause] as Scenario)(target)
  const { system, app } = target
  const id = `${system.id}/${cause.replaceAll('_', '-')}`
  if (existsSync(join(out, id))) return 0
  try {
    const pods = await cluster.stage(system, fault)
    const answers = await recordCase(kubectl, { system, fault, app: app.name, variant, pods })
    const at = new Date().toISOString()
    mkdirSync(join(out, id), { recursive: true })
    writeFileSync(join(out, id, 'case.json'), `${JSON.stringify({ question: fault.question, namespace: system.namespace, at })}\n`)
    writeFileSync(join(out, id, 'recordings.jsonl'), answers.map((answer) => `${JSON.stringify(answer)}\n`).join(''))
    appendFileSync(join(out, 'labels.jsonl'), `${JSON.stringify({ case: id, class: cause, component: fault.component })}\n`)
    return 1
  } finally {
    await cluster.clear(system, fault)
  }
}

interface Place {
  out: string
  kubectl: Kubectl
  cluster: StagedCluster
}

/** Another app for each class, but always one that somebody calls. */
function targetOf(cause: FaultClass, variant: 0 | 1 | 2): Target {
  const place = ALL_FAULT_CLASSES.indexOf(cause)
  const named = SYSTEMS[variant]
  // A namespace that is being taken down takes nothing new.
  const system = { ...named, namespace: `${named.namespace}-${(place * 7 + variant * 3) % 97}` }
  const called = system.apps.filter(({ name }) => system.apps.some(({ calls }) => calls.includes(name)))
  const app = called[(place + variant) % called.length] ?? system.apps[0]
  if (!app) throw new Error(`${system.id} has no apps`)
  const callers = system.apps.filter(({ calls }) => calls.includes(app.name))
  return { system, app, callers, variant, pick: (list) => pickFrom(list, variant) }
}

function pickFrom<T>(list: readonly T[], variant: number): T {
  const [picked] = list.slice(variant % list.length)
  if (picked === undefined) throw new Error('there is nothing to pick from')
  return picked
}
