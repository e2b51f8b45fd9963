import type { Fault, GivenAnswer } from './scenario.ts'
import type { Kubectl } from './staged-cluster.ts'
import type { System } from './systems.ts'

/** What is asked differs from case to case, as it does between engineers. */
export interface Asking {
  system: System
  fault: Fault
  /** The app that the question is about. */
  app: string
  variant: 0 | 1 | 2
  pods: readonly { metadata: { name: string; labels: Record<string, string> } }[]
}

const EVERYWHERE = ['node', 'persistentvolume', 'storageclass']

/** Asks the cluster with kubectl. @returns the answers, one a line of `recordings.jsonl` */
export async function recordCase(kubectl: Kubectl, asking: Asking): Promise<GivenAnswer[]> {
  const { system, fault, variant } = asking
  const answers: GivenAnswer[] = []
  const ask = async (tool: string, args: Record<string, string>, words: readonly string[]): Promise<void> => {
    answers.push({ tool, args, text: await kubectl(words) })
  }
  const get = async (kind: string, more: { wide?: true; labels?: true } = {}): Promise<void> => {
    const isEverywhere = EVERYWHERE.includes(kind)
    const place = isEverywhere ? {} : { namespace: system.namespace }
    const flags = [...(more.wide ? ['-o', 'wide'] : []), ...(more.labels ? ['--show-labels'] : [])]
    const shown = Object.fromEntries(Object.keys(more).map((key) => [key, 'true']))
    await ask('get', { kind: variant === 1 ? `${kind.replace(/s$/, '')}s` : kind, ...place, ...shown }, [
      'get',
      kind,
      ...(isEverywhere ? [] : ['-n', system.namespace]),
      ...flags,
    ])
  }
  await get('pod', variant === 0 ? { wide: true } : variant === 1 ? { wide: true, labels: true } : {})
  await get('deployment', variant === 1 ? { wide: true } : {})
  await get('service', variant === 2 ? {} : { wide: true })
  if (variant !== 2) await get('endpoints')
  await get('node', variant === 1 ? { labels: true } : { wide: true })
  await get('event')
  for (const kind of fault.ask ?? []) await get(kind)
  await describeThem(ask, asking)
  for (const app of new Set([asking.app, ...Object.keys(fault.changes ?? {})])) await yamlOf(ask, asking, app)
  const logged = { ...usualLogs(system, variant), ...fault.logs }
  for (const [app, lines] of Object.entries(logged))
    answers.push({
      tool: 'logs',
      args: { app, level: variant === 1 ? 'error' : 'all', namespace: system.namespace },
      text: lines.join('\n'),
    })
  return [...answers, ...(fault.answers ?? [])]
}

type Ask = (tool: string, args: Record<string, string>, words: readonly string[]) => Promise<void>

/** The pods of the app and one that is well; what was applied for the fault; the nodes that are not as the others. */
async function describeThem(ask: Ask, { system, fault, app, variant, pods }: Asking): Promise<void> {
  const { namespace } = system
  const describe = async (kind: string, ...names: string[]): Promise<void> => {
    const [name = ''] = names
    await ask('describe', { kind, ...(names.length === 1 ? { name } : {}), namespace }, ['describe', kind, ...names, '-n', namespace])
  }
  const own = pods.filter(({ metadata }) => metadata.labels['app'] === app || metadata.name.startsWith(`${app}-`))
  const other = pods.filter((pod) => !own.includes(pod)).at(-1)
  const looked = [...own.slice(0, 2), ...(other ? [other] : [])].map(({ metadata }) => metadata.name)
  if (looked.length > 0) await describe('pod', ...looked)
  if (variant === 1) await describe('service', app)
  const objects = (fault.objects ?? []) as readonly { kind: string; metadata: { name: string } }[]
  for (const [kind, same] of Map.groupBy(objects, (object) => object.kind.toLowerCase()))
    if (!/admission|namespace|storageclass/.test(kind)) await describe(kind, ...same.map(({ metadata }) => metadata.name))
  const unusual = system.nodes.filter((_, i) => fault.nodes?.[i] || variant === 0)
  if (unusual.length > 0) await describe('node', ...unusual)
}

/** The manifests of an app in one text, as they stand in the cluster. */
async function yamlOf(ask: Ask, { system, fault }: Asking, app: string): Promise<void> {
  const { namespace } = system
  const claims = claimsOf(fault.changes?.[app]?.pod).map((name) => `pvc/${name}`)
  await ask('yaml', { app, namespace }, [
    'get',
    ...claims,
    `deployment/${app}`,
    `service/${app}`,
    '-n',
    namespace,
    '-o',
    'yaml',
    '--ignore-not-found',
  ])
}

function claimsOf(pod: object = {}): string[] {
  const { volumes = [] } = pod as { volumes?: readonly { persistentVolumeClaim?: { claimName: string } }[] }
  return volumes.flatMap(({ persistentVolumeClaim }) => (persistentVolumeClaim ? [persistentVolumeClaim.claimName] : []))
}

/** What healthy programs write all day. */
function usualLogs(system: System, variant: number): Record<string, string[]> {
  const { line, apps } = system
  const texts = [
    ['INFO', 'started, accepting requests'],
    ['WARN', 'configuration key "legacy_mode" is deprecated and will be removed'],
    ['INFO', 'GET /api/items 200 in 14 ms'],
    ['WARN', 'request took 412 ms, longer than the 400 ms that are noted'],
    ['INFO', 'cache refreshed, 812 entries'],
  ] as const
  return Object.fromEntries(
    apps
      .slice(0, 2 + variant)
      .map(({ name }) => [
        name,
        texts.flatMap(([level, text], i) => (variant === 1 && level === 'INFO' ? [] : i === variant ? [] : [line(level, text)])),
      ]),
  )
}
