import { IntegrationError } from '../errors.ts'
import { levelOfLine } from '../ports/log-text.ts'
import { type LogLine, type LogResult, type LogsPort, withinLimit } from '../ports/logs.ts'
import type { KubernetesApi } from './api.ts'
import { pathOf } from './cluster-cache.ts'
import type { Pod } from './objects.ts'
import { versionOf } from './revisions.ts'
import { type Place, podsOf, readWorkloads } from './workloads.ts'

const MAX_PODS = 10
const MAX_BYTES_A_CONTAINER = 256 * 1024
const MAX_TEXT = 2_000
/** Fewer are not asked for again: 256 KiB of them are as much as can be read. */
const FEWEST_LINES = 4
const MAX_LIMIT = 2_000

/** Logs of a workload's pods as the nodes keep them: of the containers that run, and of those that ended before them. */
export function createPodLogs(place: Place, { api }: { api: KubernetesApi }): LogsPort {
  return {
    async read(query) {
      const found = (await readWorkloads(place, query.signal)).find(({ service }) => service === query.service)
      const pods = found ? podsOf(place.cache, found).toSorted(byTrouble).slice(0, MAX_PODS) : []
      const sources = pods.flatMap(containersOf)
      const limit = Math.min(Math.max(1, query.limit), MAX_LIMIT)
      const tail = Math.min(limit, Math.ceil((2 * limit) / Math.max(1, sources.length)))
      const read = await Promise.all(
        sources.map(async ({ pod, container, previous }) => {
          const path = `${pathOf('pods', pod.metadata.namespace)}/${encodeURIComponent(pod.metadata.name)}/log`
          const asked = {
            container,
            timestamps: 'true',
            limitBytes: String(MAX_BYTES_A_CONTAINER),
            sinceTime: query.from.toISOString().replace(/\.\d+Z$/, 'Z'),
            ...(previous ? { previous: 'true' } : {}),
          }
          const read = async (tailLines: number): Promise<string> =>
            await readText(api, path, { ...asked, tailLines: String(tailLines) }, query.signal)
          // Who asks how something began is not helped by fewer lines of the end.
          const text = query.keep === 'newest' ? await readTail(tail, read) : wholeOrNot(await read(tail), tail)
          return { isWhole: text.isWhole, lines: text.value.split('\n').flatMap((line) => toLine(line, pod)) }
        }),
      )
      const lines = read
        .flatMap((each) => each.lines)
        .filter(({ at, level }) => at >= query.from && at <= query.to && (query.level !== 'error' || level === 'error'))
      const sorted = lines.sort((a, b) => a.at.getTime() - b.at.getTime())
      const which = `kubectl logs of ${sources.length} containers of ${query.service}, ${tail} lines each`
      const unread = notRead(read, query.from)
      return { query: which, link: null, ...withinLimit(sorted, { ...query, limit }), ...(unread ? { unread } : {}) }
    },
  }
}

/**
 * The end of a log. A node counts lines from the end and bytes from there on, so that long lines would cost the newest ones: fewer lines are asked for
 * then, until they fit.
 */
async function readTail(lines: number, read: (lines: number) => Promise<string>): Promise<{ value: string; isWhole: boolean }> {
  const value = await read(lines)
  if (isFull(value) && lines > FEWEST_LINES) return { value: (await readTail(Math.floor(lines / 4), read)).value, isWhole: false }
  return wholeOrNot(value, lines)
}

function wholeOrNot(value: string, lines: number): { value: string; isWhole: boolean } {
  return { value, isWhole: !isFull(value) && value.trimEnd().split('\n').length < lines }
}

function isFull(value: string): boolean {
  return Buffer.byteLength(value) >= MAX_BYTES_A_CONTAINER
}

/** From where on every container's log was read, where that is not the whole window. */
function notRead(read: readonly { isWhole: boolean; lines: readonly LogLine[] }[], from: Date): LogResult['unread'] {
  const cut = read.flatMap(({ isWhole, lines: [first] }) => (isWhole || !first || first.at <= from ? [] : [first.at.getTime()]))
  return cut.length === 0 ? undefined : { before: new Date(Math.max(...cut)), why: 'only the end of each log is read' }
}

/** A container that has no log yet, or none before, has nothing to say. @throws IntegrationError for a refusal or an outage */
async function readText(api: KubernetesApi, path: string, query: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<string> {
  try {
    return await api.getText(path, query, signal)
  } catch (error) {
    if (error instanceof IntegrationError && (error.code === 'invalid_response' || error.code === 'not_found')) return ''
    throw error
  }
}

/** Those with the most restarts first: what they said is what is looked for. */
function byTrouble(a: Pod, b: Pod): number {
  return restartsOf(b) - restartsOf(a)
}

function restartsOf({ status }: Pod): number {
  return status.containerStatuses.reduce((sum, { restartCount }) => sum + restartCount, 0)
}

function containersOf(pod: Pod): { pod: Pod; container: string; previous: boolean }[] {
  return pod.status.containerStatuses.flatMap(({ name, restartCount }) => [
    { pod, container: name, previous: false },
    ...(restartCount > 0 ? [{ pod, container: name, previous: true }] : []),
  ])
}

function toLine(line: string, pod: Pod): LogLine[] {
  const [, time, text] = /^(\S+) (.*)$/.exec(line) ?? []
  const at = new Date(time ?? '')
  if (text === undefined || Number.isNaN(at.getTime())) return []
  const version = versionOf({ metadata: { labels: pod.metadata.labels, annotations: {} }, spec: pod.spec }, undefined)
  return [
    {
      at,
      level: levelOfLine(text, null),
      text: text.slice(0, MAX_TEXT).toWellFormed(),
      instance: pod.metadata.name,
      version,
      traceId: null,
    },
  ]
}
