import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import type { Integration } from '../../integrations/contract.ts'
import { createKubernetes } from '../../integrations/kubernetes/index.ts'
import type { Action, Step } from '../../integrations/ports/action.ts'
import { type ControlPlane, startControlPlane } from '../support/kubernetes/control-plane.ts'
import { startProductOn } from '../support/kubernetes/product-on-cluster.ts'
import { grantDocumentedRights, openRealShop, type RealShop } from '../support/kubernetes/real-shop.ts'
import { testDeps, VERIFICATION } from '../support/kubernetes/shop-cluster.ts'
import { until } from '../support/live/until.ts'
import { type Missing, startAlertmanager, startPrometheus } from '../support/peers.ts'

const MINUTES = 60_000
const WITHIN_SECONDS = 120
const ACTIONS = ['rollback', 'restart', 'scale', 'autoscaler', 'set-resources', 'pause', 'delete-pod', 'cordon']
const never = new AbortController().signal
const where = { environment: 'production', name: 'payments' }

let plane: ControlPlane | Missing
beforeAll(async () => {
  plane = await startControlPlane()
}, 5 * MINUTES)
afterAll(async () => {
  if (!('missing' in plane)) await plane.stop()
}, MINUTES)

/** A shop of the test's own, with payments at v42 after v41. */
async function openShop(context: TestContext): Promise<{ shop: RealShop; plane: ControlPlane }> {
  if ('missing' in plane) return context.skip(plane.missing)
  const shop = await openRealShop(plane.kubeconfig, `shop-${randomUUID().slice(0, 8)}`)
  context.onTestFinished(async () => await shop.remove())
  await shop.release('shop/payments:v41')
  await shop.release('shop/payments:v42')
  return { shop, plane }
}

async function connect(context: TestContext, kubeconfig: string, namespace: string): Promise<readonly Integration[]> {
  const integrations = createKubernetes(testDeps(), {
    kubeconfig,
    environments: [
      {
        ...{
          name: 'production',
          context: null,
          namespaces: [namespace],
          argocdNamespace: null,
          impersonateGroup: null,
          podLogs: false,
          verification: VERIFICATION,
        },
        actions: ACTIONS.map((action) => `kubernetes.${action}`),
      },
    ],
  })
  for (const each of integrations) await each.start()
  context.onTestFinished(async () => {
    for (const each of integrations) await each.stop()
  })
  return integrations
}

function actionOf(integrations: readonly Integration[], verb: string): Action {
  const found = integrations.flatMap(({ actions = [] }) => actions).find(({ definition }) => definition.kind === `kubernetes.${verb}`)
  if (!found) throw new Error(`there is no ${verb}`)
  return found
}

async function stepOf(action: Action, parameters: Step['parameters'], place = where): Promise<Step> {
  const observation = await until(
    `${action.definition.kind} sees ${place.name}`,
    async () => await action.observe(place).catch(() => null),
    WITHIN_SECONDS,
  )
  const valid = action.definition.parameters.parse(parameters)
  return { planId: 'plan', target: observation.target, parameters: valid, preconditions: observation.preconditions }
}

test(
  'the rights of docs/kubernetes.md are enough, doctor names what is missing without them, and the API server refuses in words',
  async (context) => {
    const { shop, plane: cluster } = await openShop(context)
    const [sre, viewer] = [cluster.user('sre'), cluster.user('viewer')]
    if (sre === null || viewer === null) return context.skip('a control plane with users of its own (up-kube.sh)')
    await grantDocumentedRights(shop, 'sre')
    const allowed = await connect(context, sre, shop.namespace)
    await until('the rights are in force', async () => (await allowed[0]?.check())?.[0]?.status === 'ok', WITHIN_SECONDS)
    const restart = actionOf(allowed, 'restart')
    const step = await stepOf(restart, {})
    expect((await restart.dryRun(step)).changes).toEqual([{ field: 'pods', from: 'as they run', to: 'all new, of the same template' }])

    const denied = await connect(context, viewer, shop.namespace)
    expect(await denied[0]?.check()).toMatchObject([{ status: 'failed', fix: expect.stringContaining('"resources":["deployments"') }])
    await expect(denied[0]?.workloads?.list()).rejects.toMatchObject({
      code: 'permission',
      message: expect.stringContaining('cannot list resource'),
    })
  },
  5 * MINUTES,
)

test(
  'what a keeper of the cluster sets back is told from what it leaves, by the fields that the API server says are its own',
  async (context) => {
    const { shop, plane: cluster } = await openShop(context)
    const deployment = `/apis/apps/v1/namespaces/${shop.namespace}/deployments/payments`
    const write = (fieldManager: string, replicas: number) =>
      shop.api.patch(
        deployment,
        [
          { op: 'add', path: '/metadata/labels/argocd.argoproj.io~1instance', value: 'shop' },
          { op: 'replace', path: '/spec/replicas', value: replicas },
        ],
        { fieldManager },
      )
    await write('argocd-controller', 2)
    const integrations = await connect(context, cluster.kubeconfig, shop.namespace)
    const wordsOf = async (verb: string, parameters: Step['parameters']): Promise<string> => {
      const action = actionOf(integrations, verb)
      return (await action.dryRun(await stepOf(action, parameters))).downtime
    }
    expect(await wordsOf('scale', { replicas: 4 })).toContain('Argo CD (application shop) sets this back')
    expect(await wordsOf('pause', { paused: true })).toContain('Argo CD (application shop) owns it and leaves this as it is')
    // Somebody else's hand takes the field over, until the keeper puts it back.
    await write('kubectl-edit', 3)
    await until('the cache has seen it', async () => (await actionOf(integrations, 'scale').observe(where))?.replicas === 3, WITHIN_SECONDS)
    expect(await wordsOf('scale', { replicas: 4 })).toContain('Argo CD (application shop) owns it and puts it back')
  },
  5 * MINUTES,
)

test(
  'rollback, restart and scale on the real API server: dry run, one effect, a mark, an undo that puts the template back',
  async (context) => {
    const { shop, plane: cluster } = await openShop(context)
    const integrations = await connect(context, cluster.kubeconfig, shop.namespace)
    const rollback = actionOf(integrations, 'rollback')
    const parameters = await until(
      'there is a revision before',
      async () => (await rollback.byHand?.defaults(where).catch(() => null)) ?? null,
      WITHIN_SECONDS,
    )
    const observation = await rollback.observe(where)
    const step = await stepOf(rollback, parameters)
    if (!observation) throw new Error('nothing to see')
    expect((await rollback.dryRun(step)).changes).toContainEqual({
      field: 'spec.containers[app].image',
      from: 'shop/payments:v42',
      to: 'shop/payments:v41',
    })
    expect(await shop.imageOf('payments')).toBe('shop/payments:v42')
    expect(await rollback.effect(step, 'execution-1', never)).toEqual({ result: 'applied' })
    expect(await shop.imageOf('payments')).toBe('shop/payments:v41')
    expect(await rollback.probe(step, 'execution-1', never)).toBe('applied')
    await until(
      'it is rolled out',
      async () => (await rollback.readState(step.target, ['rollout']))['rollout'] === 'complete',
      WITHIN_SECONDS,
    )
    const undo = rollback.undo(step, observation)
    expect(
      await rollback.effect(
        { ...step, parameters: undo?.parameters ?? {}, preconditions: undo?.preconditions ?? [] },
        'execution-2',
        never,
      ),
    ).toEqual({ result: 'applied' })
    const seen = await rollback.observe(where)
    const template = (fields: typeof observation.preconditions | undefined) => fields?.find(({ field }) => field === 'template')?.equals
    expect(template(seen?.preconditions)).toBe(template(observation.preconditions))

    const scale = actionOf(integrations, 'scale')
    const more = await stepOf(scale, { replicas: 4 })
    expect(await scale.effect(more, 'execution-3', never)).toEqual({ result: 'applied' })
    expect(await scale.effect(more, 'execution-4', never)).toMatchObject({ result: 'refused', reason: 'stale-target' })
    const restart = actionOf(integrations, 'restart')
    expect(await restart.effect(await stepOf(restart, {}), 'execution-5', never)).toEqual({ result: 'applied' })
  },
  5 * MINUTES,
)

test(
  'bounds of an autoscaler, resources, a paused rollout, a node and a pod on the real API server, with the rights of docs/kubernetes.md',
  async (context) => {
    const { shop, plane: cluster } = await openShop(context)
    const sre = cluster.user('sre')
    if (sre === null) return context.skip('a control plane with users of its own (up-kube.sh)')
    await grantDocumentedRights(shop, 'sre')
    await shop.create(autoscalerOf(shop.namespace))
    const integrations = await connect(context, sre, shop.namespace)
    const cases = [
      { verb: 'autoscaler', parameters: { minReplicas: 2, maxReplicas: 8 }, changes: [{ field: 'maxReplicas', from: 4, to: 8 }] },
      {
        ...{ verb: 'set-resources', parameters: { container: 'app', memoryRequest: '96Mi', cpuRequest: '0.15' } },
        changes: [
          { field: 'spec.containers[app].resources.requests.cpu', from: '100m', to: '150m' },
          { field: 'spec.containers[app].resources.requests.memory', from: '64Mi', to: '96Mi' },
        ],
      },
      { verb: 'pause', parameters: { paused: true }, changes: [{ field: 'paused', from: false, to: true }] },
      {
        verb: 'cordon',
        parameters: { cordoned: true },
        changes: [{ field: 'cordoned', from: false, to: true }],
        place: { ...where, name: 'node-2' },
      },
    ]
    for (const { verb, parameters, changes, place = where } of cases) {
      const action = actionOf(integrations, verb)
      const isDone = async (step: Step, wanted: readonly { field: string; equals: unknown }[]): Promise<boolean> => {
        const read = await action.readState(
          step.target,
          wanted.map(({ field }) => field),
        )
        return wanted.every(({ field, equals }) => read[field] === equals)
      }
      const step = await stepOf(action, parameters, place)
      const observation = await action.observe(place)
      if (!observation) throw new Error('nothing to see')
      expect((await until(`${verb} is tried`, async () => await action.dryRun(step).catch(() => null), WITHIN_SECONDS)).changes).toEqual(
        changes,
      )
      expect(await action.effect(step, `${verb}-1`, never)).toEqual({ result: 'applied' })
      expect(await action.probe(step, `${verb}-1`, never)).toBe('applied')
      await until(`${verb} is as approved`, async () => await isDone(step, action.success(step, observation).state), WITHIN_SECONDS)
      const undo = action.undo(step, observation)
      if (!undo) throw new Error(`${verb} has no way back`)
      const back = { ...step, parameters: undo.parameters, preconditions: undo.preconditions }
      expect(await action.effect(back, `${verb}-2`, never)).toEqual({ result: 'applied' })
      await until(`${verb} is undone`, async () => await isDone(back, undo.success.state), WITHIN_SECONDS)
    }

    const end = actionOf(integrations, 'delete-pod')
    await shop.podStatus([{ name: 'app', image: 'x', imageID: 'x', ready: false, restartCount: 1, started: false, state: {} }])
    const unwell = await until('the pod is seen', async () => (await end.byHand?.defaults(where).catch(() => null)) ?? null, WITHIN_SECONDS)
    const step = await stepOf(end, unwell)
    expect((await end.dryRun(step)).changes).toMatchObject([{ field: 'pod', from: unwell['pod'] }])
    expect(await end.probe(step, 'delete-pod-1', never)).toBe('not-applied')
    expect(await end.effect(step, 'delete-pod-1', never)).toEqual({ result: 'applied' })
    const observation = await end.observe(where)
    const wanted = observation ? end.success(step, observation).state : []
    await until(
      'it is gone, and another is ready',
      async () => {
        const read = await end.readState(
          step.target,
          wanted.map(({ field }) => field),
        )
        return wanted.length === 2 && wanted.every(({ field, equals }) => read[field] === equals)
      },
      WITHIN_SECONDS,
    )
    expect(await end.effect(step, 'delete-pod-2', never)).toMatchObject({ result: 'refused', reason: 'stale-target' })
  },
  5 * MINUTES,
)

test(
  'an out-of-memory end and a pod that fits nowhere: each the cause of its incident, by what the platform said; a higher limit helps the one',
  async (context) => {
    const { shop, plane: cluster } = await openShop(context)
    const [reading] = await connect(context, cluster.kubeconfig, shop.namespace)
    const ended = { reason: 'OOMKilled', exitCode: 137, startedAt: '2026-01-01T10:00:00Z', finishedAt: '2026-01-01T10:05:00Z' }
    const status = { name: 'app', image: 'shop/payments:v42', imageID: 'x', ready: false, restartCount: 3, started: false }
    await shop.podStatus([{ ...status, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: ended } }])
    const large = { name: 'app', image: 'shop/giant:v1', resources: { requests: { cpu: '500' } } }
    const labels = { app: 'giant' }
    const spec = { replicas: 1, selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [large] } } }
    await shop.create({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'giant', namespace: shop.namespace }, spec })
    const eventsOf = async (service: string): Promise<string> => {
      const found = await reading?.workloads?.find(service).catch(() => null)
      return found?.workload.events.map(({ text }) => text).join('\n') ?? ''
    }
    await until(
      'the out-of-memory end is told',
      async () => (await eventsOf('payments')).includes('OOMKilled, exit code 137'),
      WITHIN_SECONDS,
    )
    await until('the scheduler is heard', async () => /FailedScheduling.*Insufficient cpu/.test(await eventsOf('giant')), WITHIN_SECONDS)

    const place = { kubeconfig: cluster.kubeconfig, namespace: shop.namespace, prometheusUrl: null, scrapeSeconds: 1 }
    const product = await startProductOn(place)
    context.onTestFinished(product.stop)
    const causeOf = async (service: string, alert: string, wanted: string): Promise<string> => {
      await product.alert(service, alert)
      const { id } = await product.incidentOf(service)
      const { hypotheses, evidence } = await until(
        `${wanted} of ${service}`,
        async () => {
          const view = await product.app.agent.incident(id)
          return view?.hypotheses[0]?.class === wanted ? view : null
        },
        WITHIN_SECONDS,
      )
      const label = evidence.findLast(({ kind, status }) => kind === 'cluster' && status === 'ok')?.label ?? ''
      const claims = hypotheses[0]?.claims.filter(({ cites, supported }) => supported && cites.includes(label)) ?? []
      expect(hypotheses[0]?.component).toBe(`service/${service}`)
      return claims.map(({ text }) => text).join('\n')
    }
    expect(await causeOf('payments', 'KubePodCrashLooping', 'oom_killed')).toMatch(/more memory than its limit[\s\S]*2 of 3 pods/)
    // The platform alone says so, which corroborates nothing: it is proposed only when a person asks for it.
    const asked = await product.ask('set-resources', 'payments', { container: 'app', memoryLimit: '192Mi' }, 'carol')
    expect(asked.plan).toMatchObject({
      cause: { class: 'oom_killed', component: 'service/payments' },
      changes: [{ field: 'spec.containers[app].resources.limits.memory', from: '128Mi', to: '192Mi' }],
      undo: { changes: [{ field: 'spec.containers[app].resources.limits.memory', from: '192Mi', to: '128Mi' }] },
    })
    await expect(product.vote(asked, 'carol')).rejects.toMatchObject({ code: 'self-approval' })
    await product.vote(asked, 'alice')
    expect((await product.settled(asked)).execution?.state).toBe('verified')
    expect(await causeOf('giant', 'KubeDeploymentReplicasMismatch', 'cpu_capacity_mismatch')).toMatch(/“0\/\d+ nodes.*Insufficient cpu/)
  },
  5 * MINUTES,
)

test(
  'a bad rollout: a rule of Prometheus, Alertmanager, the right cause, a card with the dry run, a refusal, a click, one rollback, verified, told',
  async (context) => {
    const { shop, plane: cluster } = await openShop(context)
    await shop.release('shop/payments:v41')
    const helper = await serveShop(context, shop)
    const prometheus = await startPrometheus({ config: prometheusConfig(helper.address), files: { 'rules.yml': RULES } })
    if ('missing' in prometheus) return context.skip(prometheus.missing)
    context.onTestFinished(prometheus.stop)
    const place = { kubeconfig: cluster.kubeconfig, namespace: shop.namespace, prometheusUrl: prometheus.url, scrapeSeconds: 1 }
    const product = await startProductOn(place)
    context.onTestFinished(product.stop)
    const alertmanager = await startAlertmanager({ config: alertmanagerConfig(product.url) })
    if ('missing' in alertmanager) return context.skip(alertmanager.missing)
    context.onTestFinished(alertmanager.stop)
    helper.alertmanager = new URL(alertmanager.url).host
    const ratio = async (): Promise<number> => {
      const { points } = await product.app.agent.telemetry.metric({
        service: 'payments',
        metric: 'error_ratio',
        from: new Date(Date.now() - 10_000),
        to: new Date(),
      })
      return points.at(-1)?.value ?? Number.NaN
    }
    await until('Prometheus shows a healthy service', async () => (await ratio()) < 0.05, WITHIN_SECONDS)
    await shop.release('shop/payments:v43')

    const incident = await product.incidentOf('payments')
    const asked = await product.asked(incident)
    const { plan } = asked
    const opened = await product.app.agent.incident(incident.id)
    expect(opened?.alerts).toMatchObject([{ source: 'alertmanager', name: 'PaymentsFail', trigger: { metric: 'error_ratio' } }])
    expect(plan.action.kind).toBe('kubernetes.rollback')
    expect(plan.cause).toEqual({ class: 'bad_release', component: 'service/payments' })
    expect(plan.changes).toEqual([{ field: 'spec.containers[app].image', from: 'shop/payments:v43', to: 'shop/payments:v41' }])
    await expect(product.vote(asked, 'bob')).rejects.toMatchObject({ name: 'Refusal' })
    expect(await shop.imageOf('payments')).toBe('shop/payments:v43')
    await product.vote(asked, 'alice')
    const { execution } = await product.settled(asked)
    expect(execution?.state).toBe('verified')
    expect(execution?.events.filter(({ state }) => state === 'sent')).toHaveLength(1)
    expect(await shop.imageOf('payments')).toBe('shop/payments:v41')
    const ended = await until(
      'the incident is told as resolved',
      async () => {
        const view = await product.app.agent.incident(incident.id)
        return view?.incident.state === 'resolved' ? view : null
      },
      WITHIN_SECONDS,
    )
    expect(ended.timeline.map(({ text }) => text).join('\n')).toMatch(/verified/i)
    expect((await product.app.agent.verifyAudit()).violations).toEqual([])
  },
  10 * MINUTES,
)

function autoscalerOf(namespace: string): Record<string, unknown> {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'payments' }
  const metrics = [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 80 } } }]
  const spec = { scaleTargetRef, minReplicas: 2, maxReplicas: 4, metrics }
  return { apiVersion: 'autoscaling/v2', kind: 'HorizontalPodAutoscaler', metadata: { name: 'payments', namespace }, spec }
}

/** What the pods of payments would tell if they ran, since v43 mostly failures; and where Alertmanager is, once it is known. */
async function serveShop(context: TestContext, shop: RealShop): Promise<{ address: string; alertmanager: string | null }> {
  const counts = { good: 0, bad: 0 }
  const helper = { address: '', alertmanager: null as string | null }
  const server = createServer((request, response) => {
    if (request.url === '/alertmanagers') {
      const targets = helper.alertmanager === null ? [] : [{ targets: [helper.alertmanager] }]
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(targets))
    }
    shop.imageOf('payments').then(
      (image) => {
        const bad = image.endsWith(':v43') ? 12 : 0
        counts.bad += bad
        counts.good += 20 - bad
        const line = (status: number, count: number): string => `http_requests_total{service="payments",status="${status}"} ${count}\n`
        response.end(line(200, counts.good) + line(500, counts.bad))
      },
      () => response.writeHead(503).end(),
    )
  }).listen(0, '127.0.0.1')
  context.onTestFinished(() => void server.close())
  await once(server, 'listening')
  helper.address = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return helper
}

const RULES = `
groups:
  - name: shop
    interval: 1s
    rules:
      - alert: PaymentsFail
        expr: >-
          sum by (service) (rate(http_requests_total{service="payments", status=~"5.."}[5s]))
          / sum by (service) (rate(http_requests_total{service="payments"}[5s])) > 0.05
        labels: { severity: critical, environment: production }
        annotations:
          summary: '{{ $value | humanizePercentage }} of the charges fail'
          metric: error_ratio
          threshold: '0.05'
          comparator: '>'
`

function prometheusConfig(helper: string): string {
  return `
global: { scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
scrape_configs: [{ job_name: shop, static_configs: [{ targets: ['${helper}'] }] }]
alerting: { alertmanagers: [{ http_sd_configs: [{ url: 'http://${helper}/alertmanagers', refresh_interval: 1s }] }] }
`
}

function alertmanagerConfig(product: string): string {
  return `
route: { receiver: steadyhand, group_by: [service], group_wait: 0s, group_interval: 1s, repeat_interval: 5s }
receivers: [{ name: steadyhand, webhook_configs: [{ url: '${product}/webhooks/alertmanager' }] }]
`
}
