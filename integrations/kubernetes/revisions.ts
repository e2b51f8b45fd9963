import { RESTARTED_AT, REVISION, REVISION_HISTORY } from './annotations.ts'
import type { ObjectTemplate, ObjectWorkload } from './objects.ts'

const VERSION_LABEL = 'app.kubernetes.io/version'
const MAX_DIFFERENCES = 8

/** One revision of a deployment: a replica set that it made. */
export interface Revision {
  number: number
  object: ObjectWorkload
  version: string
  /** Used before under another number: somebody went back to it. */
  isReturn: boolean
}

/** Of one deployment, the newest first. */
export function revisionsOf(deployment: ObjectWorkload, replicaSets: readonly ObjectWorkload[]): Revision[] {
  const own = replicaSets.filter(({ metadata }) =>
    metadata.ownerReferences.some(({ uid, controller }) => controller && uid === deployment.metadata.uid),
  )
  return own
    .map((object) => ({
      number: Number(object.metadata.annotations[REVISION] ?? 0),
      object,
      version: versionOf(object.spec.template, object.metadata.annotations[REVISION]),
      isReturn: Boolean(object.metadata.annotations[REVISION_HISTORY]),
    }))
    .filter(({ number }) => Number.isInteger(number) && number > 0)
    .sort((a, b) => b.number - a.number)
}

/** What people call this version: the label for it, else the tag of the first container's image, else the number of the revision. */
export function versionOf(template: ObjectTemplate, revision: string | undefined): string {
  const label = template.metadata?.labels[VERSION_LABEL]
  if (label) return label
  const image = template.spec.containers[0]?.image ?? ''
  const digest = /@sha256:([0-9a-f]{12})/.exec(image)?.[1]
  const tag = /:([\w][\w.-]{0,127})$/.exec(image.replace(/@.*$/, ''))?.[1]
  return tag ?? digest ?? (revision ? `revision ${revision}` : 'unknown')
}

/** What differs between two templates, in words with names; values of environment variables are never among them. */
export function differences(before: ObjectTemplate, after: ObjectTemplate): { words: string[]; kind: 'release' | 'config' | 'restart' } {
  const [images, settings]: [string[], string[]] = [[], []]
  for (const container of after.spec.containers) {
    const old = before.spec.containers.find(({ name }) => name === container.name)
    if (!old) images.push(`container ${container.name} is new`)
    else {
      if (old.image !== container.image) images.push(`image of ${container.name}: ${old.image ?? 'none'} → ${container.image ?? 'none'}`)
      settings.push(...settingsWords(old, container))
    }
  }
  for (const { name } of before.spec.containers)
    if (!after.spec.containers.some((each) => each.name === name)) images.push(`container ${name} is gone`)
  const words = [...images, ...settings]
  const restarted = before.metadata?.annotations[RESTARTED_AT] !== after.metadata?.annotations[RESTARTED_AT]
  if (words.length === 0 && restarted) return { words: ['all pods anew, nothing else changed'], kind: 'restart' }
  return { words: words.slice(0, MAX_DIFFERENCES), kind: images.length > 0 || settings.length === 0 ? 'release' : 'config' }
}

type Container = ObjectTemplate['spec']['containers'][number]

function settingsWords(old: Container, container: Container): string[] {
  const names = changedNames(old.env, container.env, JSON.stringify)
  const words: string[] = []
  if (names.length > 0) words.push(`environment of ${container.name}: ${names.slice(0, 10).join(', ')}`)
  for (const part of ['command', 'args', 'ports', 'livenessProbe', 'readinessProbe', 'startupProbe', 'envFrom', 'volumeMounts'] as const)
    if (JSON.stringify(old[part]) !== JSON.stringify(container[part])) words.push(`${part} of ${container.name}`)
  for (const part of ['requests', 'limits'] as const) {
    const [from, to] = [old.resources?.[part] ?? {}, container.resources?.[part] ?? {}]
    for (const name of new Set([...Object.keys(from), ...Object.keys(to)]))
      if (from[name] !== to[name]) words.push(`${name} ${part} of ${container.name}: ${from[name] ?? 'none'} → ${to[name] ?? 'none'}`)
  }
  return words
}

function changedNames<T extends { name: string }>(before: readonly T[], after: readonly T[], digest: (item: T) => string): string[] {
  const old = new Map(before.map((each) => [each.name, digest(each)]))
  const now = new Map(after.map((each) => [each.name, digest(each)]))
  return [...new Set([...old.keys(), ...now.keys()])].filter((name) => old.get(name) !== now.get(name))
}
