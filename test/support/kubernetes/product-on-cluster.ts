import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Approval } from '../../../agent/domain/approval.ts'
import type { Incident } from '../../../agent/domain/incident.ts'
import type { Log } from '../../../agent/log.ts'
import { loadConfig } from '../../../bot/config.ts'
import { createLog } from '../../../bot/log.ts'
import { type App, createApp } from '../../../bot/main.ts'
import type { Parameters } from '../../../integrations/ports/action.ts'
import { until } from '../live/until.ts'
import { temporaryFolder } from '../peer-process.ts'

/** Nobody signs in there: votes are cast as the accounts it would vouch for. */
const ISSUER = 'http://127.0.0.1:9'
const COMES_WITHIN_SECONDS = 240
const ENDED: readonly string[] = ['verified', 'failed', 'undetermined', 'aborted']

/** Alice and Carol may approve, Bob looks on. */
type Person = 'alice' | 'bob' | 'carol'

/** The product with a cluster as its only target. */
export interface ClusterProduct {
  url: string
  app: App
  /** Of the embedded database. */
  dataDir: string
  /** As Alertmanager sends it: the error ratio of a service is too high; or, by a name, an alert that says of no metric what it should be. */
  alert(service: string, name?: string): Promise<void>
  incidentOf(service: string): Promise<Incident>
  /** The request of an incident that waits for people. */
  asked(incident: Incident): Promise<Approval>
  /** What a person asks for by name. */
  ask(action: string, service: string, parameters: Parameters, person: Person): Promise<Approval>
  vote(approval: Approval, person: Person): Promise<Approval>
  settled(approval: Approval): Promise<Approval>
  /** Ends the process; what it stored is there until `stop`. */
  close(): Promise<void>
  stop(): Promise<void>
}

export interface ClusterPlace {
  kubeconfig: string
  namespace: string
  /** Null where nobody measures anything. */
  prometheusUrl: string | null
  /** Seconds between samples. */
  scrapeSeconds: number
  /** Where Argo CD keeps its applications; they may be acted on then. */
  argocdNamespace?: string
}

interface ProductOptions {
  /** Variables beside its own. */
  environment?: Readonly<Record<string, string>>
  log?: Log
}

export async function startProductOn(
  place: ClusterPlace,
  { environment: more = {}, log = createLog({ level: 'warn' }) }: ProductOptions = {},
): Promise<ClusterProduct> {
  const folder = temporaryFolder()
  writeFileSync(join(folder.path, 'steadyhand.yaml'), settingsFor(place))
  writeFileSync(join(folder.path, 'policy.yaml'), POLICY)
  const dataDir = join(folder.path, 'data')
  const own = { PORT: '0', STEADYHAND_DATA_DIR: dataDir, OIDC_ISSUER: ISSUER, OIDC_CLIENT_ID: 'a', OIDC_CLIENT_SECRET: 'b' }
  const app = await createApp(loadConfig({ ...own, ...more }, folder.path), log)
  const { url = '' } = (await app.start()) ?? {}
  let closed: Promise<void> | null = null
  const close = async (): Promise<void> => {
    closed ??= app.close()
    await closed
  }
  return {
    url,
    app,
    dataDir,
    close,
    alert: async (service, name) => await sendAlert(url, service, name),
    incidentOf: async (service) =>
      await until(
        `an incident of ${service}`,
        async () => (await app.agent.incidents({ state: 'active', limit: 10 })).items.find((each) => each.service === service) ?? null,
        COMES_WITHIN_SECONDS,
      ),
    asked: async (incident) => await waitForRequest(app, incident),
    ask: async (action, service, parameters, person) =>
      await app.agent.proposeByHand(
        { action, service, parameters, incident: null },
        { id: person, name: person, kind: 'human', active: true },
      ),
    vote: async ({ id, digest }, person) =>
      await app.agent.vote({
        requestId: id,
        digest,
        decision: 'approve',
        actor: { surface: 'console', tenant: ISSUER, externalId: person },
        place: 'console',
        confirm: null,
        reason: null,
        deliveryKey: `${person}-${id}`,
      }),
    settled: async ({ id }) => await waitForEnd(app, id),
    async stop() {
      await close()
      folder.remove()
    },
  }
}

async function waitForRequest(app: App, incident: Incident): Promise<Approval> {
  let seen = ''
  return await until(
    'an approval is asked for',
    async () => {
      const view = await app.agent.incident(incident.id)
      seen = (view?.timeline ?? []).map(({ text }) => text).join(' | ')
      return view?.approvals.find(({ requestState }) => requestState === 'pending') ?? null
    },
    COMES_WITHIN_SECONDS,
    () => seen,
  )
}

async function waitForEnd(app: App, id: string): Promise<Approval> {
  let seen = ''
  return await until(
    'the action is settled',
    async () => {
      const approval = await app.agent.approval(id)
      seen = JSON.stringify(approval?.execution ?? null)
      return approval?.execution && ENDED.includes(approval.execution.state) ? approval : null
    },
    COMES_WITHIN_SECONDS,
    () => seen,
  )
}

async function sendAlert(url: string, service: string, name?: string): Promise<void> {
  const measured = { summary: 'most charges fail', metric: 'error_ratio', threshold: '0.05', comparator: '>' }
  const body = {
    version: '4',
    status: 'firing',
    alerts: [
      {
        status: 'firing',
        labels: { alertname: name ?? 'PaymentsFail', service, environment: 'production', severity: 'critical' },
        annotations: name === undefined ? measured : { summary: `${name} of ${service}` },
        startsAt: new Date().toISOString(),
      },
    ],
  }
  const headers = { 'content-type': 'application/json' }
  const { status } = await fetch(`${url}/webhooks/alertmanager`, { method: 'POST', headers, body: JSON.stringify(body) })
  if (status !== 202) throw new Error(`the alert was answered with ${status}`)
}

function settingsFor({ kubeconfig, namespace, prometheusUrl, scrapeSeconds, argocdNamespace }: ClusterPlace): string {
  const ofArgo = argocdNamespace === undefined ? [] : ['argo-pause', 'argo-sync', 'argo-rollback']
  return JSON.stringify({
    local: { enabled: false },
    policy: 'policy.yaml',
    people: [
      { id: 'alice', name: 'Alice', roles: ['approver'], links: [{ surface: 'console', tenant: ISSUER, id: 'alice' }] },
      { id: 'carol', name: 'Carol', roles: ['approver'], links: [{ surface: 'console', tenant: ISSUER, id: 'carol' }] },
      { id: 'bob', name: 'Bob', roles: ['viewer'], links: [{ surface: 'console', tenant: ISSUER, id: 'bob' }] },
    ],
    kubernetes: {
      kubeconfig,
      acceptEmbeddedDatabase: true,
      environments: [
        {
          name: 'production',
          namespaces: [namespace],
          argocdNamespace,
          actions: ['rollback', 'restart', 'scale', 'set-resources', ...ofArgo],
          verification: { settleSeconds: 2, holdSeconds: 3, withinSeconds: 180 },
        },
      ],
    },
    prometheus: prometheusUrl === null ? [] : [{ environment: 'production', url: prometheusUrl, scrapeSeconds }],
  })
}

const POLICY = `
version: 1
rules:
  - name: applications
    when: { action: kubernetes.argo-rollback, environment: production }
    decide: ask
    role: approver
    needed: 1
    requesterMayApprove: false
    ttlMinutes: 15
    cooldownSeconds: 0
  - name: production
    when: { action: kubernetes.*, environment: production }
    decide: ask
    role: approver
    needed: 1
    requesterMayApprove: false
    ttlMinutes: 15
    cooldownSeconds: 60
`
