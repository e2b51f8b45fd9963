import { expect, test } from 'vitest'
import { createLog } from '../../bot/log.ts'
import { openDatabase } from '../../storage/database.ts'
import { ApiServer } from '../support/kubernetes/api-server.ts'
import { type ClusterProduct, startProductOn } from '../support/kubernetes/product-on-cluster.ts'
import { DEPLOYMENTS, EVENTS, NAMESPACE, PODS, REPLICA_SETS, seedDeployment, writeKubeconfig } from '../support/kubernetes/shop-cluster.ts'
import { until } from '../support/live/until.ts'
import { obedient } from '../support/model/players.ts'
import { startScriptedModel } from '../support/model/scripted-model.ts'
import { type SeededSecret, secretFormats } from '../support/secrets.ts'

const MINUTES = 60_000
const API_KEY = 'a-key-of-a-program-that-only-reads-0001'
const POD = 'payments-hash2-abcde'
const EACH = 25
const PERSON = 'ada.lovelace@mail.example.com'
const PLACES = ['log', 'log before', 'event', 'setting', 'argument', 'reason of a change', 'state of a pod', 'alert', 'map'] as const
type Place = (typeof PLACES)[number]

/** 300 secrets of twelve formats, each format in every place. */
function seeded(): { all: SeededSecret[]; at: Record<Place, string[]> } {
  const all = Object.values(secretFormats()).flatMap((make) => Array.from({ length: EACH }, make))
  const at = Object.fromEntries(PLACES.map((place) => [place, [] as string[]])) as Record<Place, string[]>
  for (const [index, { text }] of all.entries()) at[PLACES[index % PLACES.length] ?? 'log'].push(text)
  return { all, at }
}

function seedCluster(cluster: ApiServer, at: Record<Place, string[]>): void {
  const now = new Date().toISOString()
  seedDeployment(cluster, 'payments', [
    { image: 'shop/payments:v41' },
    { image: 'shop/payments:v42', env: at.setting.map((value, index) => ({ name: `SETTING_${index}`, value })), args: at.argument },
  ])
  cluster.change(`${DEPLOYMENTS}/payments`, ({ metadata }) => {
    metadata['annotations'] = { ...(metadata['annotations'] as object), 'kubernetes.io/change-cause': at['reason of a change'].join(' ') }
  })
  cluster.apply(PODS, {
    metadata: {
      name: POD,
      namespace: NAMESPACE,
      labels: { app: 'payments' },
      ownerReferences: [
        {
          kind: 'ReplicaSet',
          name: 'payments-hash2',
          uid: cluster.object(`${REPLICA_SETS}/payments-hash2`)?.metadata.uid,
          controller: true,
        },
      ],
    },
    spec: { containers: [{ name: 'app', image: 'shop/payments:v42' }] },
    status: {
      phase: 'Running',
      containerStatuses: [
        {
          name: 'app',
          ready: false,
          restartCount: 4,
          state: { waiting: { reason: 'CrashLoopBackOff', message: at['state of a pod'].join('; ') } },
          lastState: { terminated: { reason: 'Error', exitCode: 1, message: at['state of a pod'].join(', '), finishedAt: now } },
        },
      ],
    },
  })
  // As a container runtime writes them: a time before each line of a text of several.
  const lines = (texts: readonly string[]): string =>
    texts.flatMap((text) => `ERROR payments: could not start with ${text}`.split('\n').map((line) => `${now} ${line}`)).join('\n')
  cluster.logs.set(`${POD}/app`, `${lines([...at.log, `the card of ${PERSON}`])}\n`)
  cluster.logs.set(`${POD}/app/previous`, `${lines(at['log before'])}\n`)
  for (const [index, text] of at.event.entries())
    cluster.apply(EVENTS, {
      metadata: { name: `event-${index}`, namespace: NAMESPACE },
      type: 'Warning',
      reason: 'BackOff',
      message: `Back-off restarting: ${text}`,
      involvedObject: { kind: 'Pod', name: POD },
      lastTimestamp: now,
      count: 3,
    })
  for (const kind of ['secrets', 'configmaps'])
    cluster.apply(`/api/v1/namespaces/${NAMESPACE}/${kind}`, {
      metadata: { name: `payments-${kind}`, namespace: NAMESPACE },
      data: Object.fromEntries(at.map.map((text, index) => [`key-${index}`, kind === 'secrets' ? btoa(text) : text])),
    })
}

async function alert(url: string, texts: readonly string[]): Promise<void> {
  const half = Math.ceil(texts.length / 2)
  const body = {
    version: '4',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: 'PaymentsDown', service: 'payments', environment: 'production', severity: 'critical', token: texts[0] },
        annotations: { summary: `payments fails: ${texts.slice(0, half).join(' ')}`, description: texts.slice(half).join('\n') },
        startsAt: new Date().toISOString(),
      },
    ],
  }
  const headers = { 'content-type': 'application/json' }
  const { status } = await fetch(`${url}/webhooks/alertmanager`, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(status).toBe(202)
}

/** No more of a secret than this may be left. */
const PIECE = 16

function piecesOf(secret: string): string[] {
  if (secret.length <= PIECE) return [secret]
  return Array.from({ length: secret.length - PIECE + 1 }, (_, from) => secret.slice(from, from + PIECE))
}

/** What a person gets to see of it, on the page, in chat and as a record. */
async function shown({ url, app }: ClusterProduct, id: string): Promise<string> {
  const headers = { authorization: `Bearer ${API_KEY}`, 'content-type': 'application/json' }
  const read = async (path: string): Promise<string> => await (await fetch(`${url}${path}`, { headers })).text()
  const command = async (text: string): Promise<string> =>
    await (await fetch(`${url}/api/v1/commands`, { method: 'POST', headers, body: JSON.stringify({ text }) })).text()
  const commands = ['logs payments', `why ${id}`, `brief ${id}`, `postmortem ${id}`, 'ask what does payments log?', 'status']
  const said = []
  for (const each of commands) said.push(await command(each))
  return [JSON.stringify(await app.agent.incident(id)), await read(`/api/v1/incidents/${id}`), ...said].join('\n')
}

/** All that was stored but for deliveries, which are kept byte for byte as they came until their time is over. */
async function everyRow(dataDir: string): Promise<string> {
  const database = await openDatabase({ dataDir, now: () => new Date(), log: { info: () => {}, error: () => {} } })
  try {
    const tables = (await database.db.introspection.getTables()).map(({ name }) => name)
    const stored = tables.filter((table) => table !== 'inbox')
    const rows = await Promise.all(
      stored.map(
        async (table) =>
          await database.db
            .selectFrom(table as 'incident')
            .selectAll()
            .execute(),
      ),
    )
    return JSON.stringify(rows)
  } finally {
    await database.close()
  }
}

test(
  'of 300 secrets of twelve formats in a cluster and an alert none comes into a prompt, a row, a log line, a card or an answer',
  async (context) => {
    const { all, at } = seeded()
    expect(new Set(all.map(({ secret }) => secret)).size).toBe(300)
    const cluster = new ApiServer()
    const kubeconfig = writeKubeconfig(await cluster.start())
    const model = await startScriptedModel(obedient)
    context.onTestFinished(async () => {
      await model.close()
      await cluster.stop()
      kubeconfig.remove()
    })
    seedCluster(cluster, at)
    const lines: string[] = []
    const product = await startProductOn(
      { kubeconfig: kubeconfig.path, namespace: NAMESPACE, prometheusUrl: null, scrapeSeconds: 1 },
      {
        environment: { ANTHROPIC_API_KEY: 'test', ANTHROPIC_BASE_URL: model.anthropicUrl, STEADYHAND_API_KEYS: API_KEY },
        log: createLog({ level: 'debug', format: 'json', destination: { write: (line) => void lines.push(line) } }),
      },
    )
    context.onTestFinished(product.stop)

    await alert(product.url, at.alert)
    const incident = await product.incidentOf('payments')
    const ended = async () => {
      const view = await product.app.agent.incident(incident.id)
      return view?.model?.outcome ? view : null
    }
    await until('the model has looked', ended, 240)
    const seen = { 'what people see': await shown(product, incident.id) }
    await product.close()
    const texts: Record<string, string> = {
      ...seen,
      prompts: model.requests.map(({ body }) => body).join('\n'),
      rows: await everyRow(product.dataDir),
      'log lines': lines.join('\n'),
    }
    for (const [where, text] of Object.entries(texts)) {
      const left = all.filter(({ secret }) => piecesOf(secret).some((piece) => text.includes(piece)))
      expect({ where, left: left.map(({ text: found }) => found) }).toEqual({ where, left: [] })
    }
    // Nor is the model told of a person, who is in the evidence that people may open.
    expect(texts['prompts']).toMatch(/⟨email [0-9a-f]{10}⟩/)
    expect(texts['prompts']).not.toContain(PERSON)
    expect(texts['rows']).toContain(PERSON)
    // They were on the way: what was read of the cluster and of the alert is there, masked.
    for (const where of ['what people see', 'prompts', 'rows']) expect(texts[where]).toContain('could not start with')
    expect(texts['prompts']?.split('[secret]').length).toBeGreaterThan(50)
  },
  10 * MINUTES,
)
