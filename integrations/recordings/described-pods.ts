import type { Amounts, ContainerSpec, PodSpec, ProbeSpec, VolumeSource } from '../ports/cluster-state.ts'
import { type Section, sectionNamed, textOf, valuesOf } from './describe.ts'
import { quantityIn } from './quantities.ts'
import { labelsIn } from './tables.ts'

/** What a described pod, or the pod template in a described workload, asks for. Affinity is not told there. */
export function podSpecOfDescription(sections: readonly Section[]): PodSpec | null {
  const containers = sectionNamed(sections, 'Containers')?.children ?? []
  if (containers.length === 0) return null
  return {
    containers: containers.map(containerOf),
    nodeSelector: labelsIn(valuesOf(sections, 'Node-Selectors').join(',')),
    tolerations: valuesOf(sections, 'Tolerations').map(tolerationOf),
    nodeAffinity: [],
    podAntiAffinity: [],
    podAffinity: [],
    serviceAccount: textOf(sections, 'Service Account'),
    imagePullSecrets: [],
    volumes: (sectionNamed(sections, 'Volumes')?.children ?? []).map(volumeOf),
    nodeName: null,
  }
}

function containerOf({ key, children }: Section): ContainerSpec {
  const ports = textOf(children, 'Port') ?? textOf(children, 'Ports') ?? ''
  return {
    name: key,
    image: textOf(children, 'Image'),
    command: [],
    ports: [...ports.matchAll(/(\d+)\/(\w+)(?: \(([^)]+)\))?/g)].map(([, port, protocol = 'TCP', name]) => ({
      name: name ?? null,
      port: Number(port),
      protocol,
    })),
    requests: amountsOf(sectionNamed(children, 'Requests')),
    limits: amountsOf(sectionNamed(children, 'Limits')),
    liveness: probeIn(textOf(children, 'Liveness')),
    readiness: probeIn(textOf(children, 'Readiness')),
    startup: probeIn(textOf(children, 'Startup')),
    env: (sectionNamed(children, 'Environment')?.children ?? []).map(({ key: name, value }) => ({ name, ...envOf(value) })),
    mounts: (sectionNamed(children, 'Mounts')?.children ?? []).flatMap(({ line }) => {
      const [, path, volume, mode] = /^(\S+) from (\S+) \((\w+)/.exec(line) ?? []
      return path === undefined || volume === undefined ? [] : [{ volume, path, readOnly: mode === 'ro' }]
    }),
  }
}

function amountsOf(section: Section | undefined): Amounts {
  return { cpu: quantityIn(textOf(section?.children, 'cpu')), memory: quantityIn(textOf(section?.children, 'memory')) }
}

/** `http-get http://:8080/live delay=15s timeout=1s period=10s #success=1 #failure=3` */
function probeIn(text: string | null): ProbeSpec | null {
  const kind = /^(http-get|tcp-socket|grpc|exec)\b/.exec(text ?? '')?.[1]
  if (text === null || kind === undefined) return null
  const [, scheme, port, path] = /(?:(https?):\/\/)?[^\s/:]*:([\w-]+)(\/\S*)?/.exec(text.slice(kind.length)) ?? []
  const number = (name: string): number => Number(new RegExp(`${name}=(\\d+)`).exec(text)?.[1] ?? 0)
  return {
    kind: kind === 'http-get' ? 'http' : kind === 'tcp-socket' ? 'tcp' : kind === 'grpc' ? 'grpc' : 'exec',
    port: kind === 'exec' || port === undefined ? null : /^\d+$/.test(port) ? Number(port) : port,
    path: path ?? null,
    scheme: scheme?.toUpperCase() ?? null,
    initialDelaySeconds: number('delay'),
    periodSeconds: number('period'),
    timeoutSeconds: number('timeout'),
    failureThreshold: number('#failure'),
  }
}

/** A plain value, or `<set to the key 'token' in secret 'pay'>`. */
function envOf(text: string): Pick<ContainerSpec['env'][number], 'value' | 'from'> {
  const [, key, kind, name] = /^<set to the key '([^']+)' (?:in|of) (secret|config map) '([^']+)'>/.exec(text) ?? []
  if (key === undefined || name === undefined) return { value: text, from: null }
  return { value: null, from: { kind: kind === 'secret' ? 'secret' : 'configMap', name, key } }
}

/** `dedicated=batch:NoSchedule`, `gpu:NoSchedule op=Exists` */
function tolerationOf(text: string): PodSpec['tolerations'][number] {
  const [term = '', operator] = text.split(' ')
  const [pair = '', effect] = term.split(':')
  const [key, value] = pair.split('=')
  return { key: key && operator !== undefined && key === 'op' ? null : key || null, value: value ?? null, effect: effect || null }
}

function volumeOf({ key, children }: Section): VolumeSource {
  const type = textOf(children, 'Type') ?? ''
  if (type.startsWith('PersistentVolumeClaim')) return { name: key, kind: 'claim', source: textOf(children, 'ClaimName') }
  if (type.startsWith('Secret')) return { name: key, kind: 'secret', source: textOf(children, 'SecretName') }
  return type.startsWith('ConfigMap')
    ? { name: key, kind: 'configMap', source: textOf(children, 'Name') }
    : { name: key, kind: 'other', source: null }
}
