import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, type TestContext, test } from 'vitest'
import type { Integration } from '../../integrations/contract.ts'
import { createKubernetes } from '../../integrations/kubernetes/index.ts'
import type { Action, Observation, Parameters, Step } from '../../integrations/ports/action.ts'
import { AUTOMATED, FIRST, SECOND, shop as where } from '../support/kubernetes/argocd-shop.ts'
import { type ControlPlane, startControlPlane } from '../support/kubernetes/control-plane.ts'
import { startProductOn } from '../support/kubernetes/product-on-cluster.ts'
import { openRealArgoCd } from '../support/kubernetes/real-argocd.ts'
import { grantDocumentedRights, openRealShop } from '../support/kubernetes/real-shop.ts'
import { testDeps, VERIFICATION } from '../support/kubernetes/shop-cluster.ts'
import { until } from '../support/live/until.ts'
import type { Missing } from '../support/peers.ts'

const MINUTES = 60_000
const WITHIN_SECONDS = 120
const never = new AbortController().signal

let plane: ControlPlane | Missing
beforeAll(async () => {
  plane = await startControlPlane()
}, 5 * MINUTES)
afterAll(async () => {
  if (!('missing' in plane)) await plane.stop()
}, MINUTES)

async function connect(
  context: TestContext,
  place: { kubeconfig: string; namespace: string; argocdNamespace: string },
): Promise<readonly Integration[]> {
  const { kubeconfig, namespace, argocdNamespace } = place
  const integrations = createKubernetes(testDeps(), {
    kubeconfig,
    environments: [
      {
        ...{ name: 'production', context: null, namespaces: [namespace], argocdNamespace, impersonateGroup: null, podLogs: false },
        actions: ['scale', 'argo-pause', 'argo-sync', 'argo-rollback'].map((verb) => `kubernetes.${verb}`),
        verification: VERIFICATION,
      },
    ],
  })
  for (const each of integrations) await each.start()
  context.onTestFinished(async () => {
    for (const each of integrations) await each.stop()
  })
  return integrations
}

test(
  'on the real API server, with the rights of docs/kubernetes.md: evidence, a refused rollback, a pause, a rollback, and both undone',
  async (context) => {
    if ('missing' in plane) return context.skip(plane.missing)
    const [sre, viewer] = [plane.user('sre'), plane.user('viewer')]
    if (sre === null || viewer === null) return context.skip('a control plane with users of its own (up-kube.sh)')
    const shop = await openRealShop(plane.kubeconfig, `shop-${randomUUID().slice(0, 8)}`)
    context.onTestFinished(async () => await shop.remove())
    await shop.release('shop/payments:v42')
    const argocd = await openRealArgoCd(shop, `argocd-${randomUUID().slice(0, 8)}`)
    await grantDocumentedRights(shop, 'sre', argocd.namespace)
    const place = { namespace: shop.namespace, argocdNamespace: argocd.namespace }
    const integrations = await connect(context, { ...place, kubeconfig: sre })
    const [reading] = integrations
    await until('the rights are in force', async () => (await reading?.check())?.every(({ status }) => status === 'ok'), WITHIN_SECONDS)
    const denied = await connect(context, { ...place, kubeconfig: viewer })
    expect((await denied[0]?.check())?.at(-1)).toMatchObject({ status: 'warning', words: expect.stringContaining('may not be read') })

    const told = async (): Promise<string> =>
      (await reading?.workloads?.find('payments').catch(() => null))?.workload.keepers?.join('\n') ?? ''
    await until('the application is told', async () => (await told()).includes('Argo CD application shop: '), WITHIN_SECONDS)
    expect(await told()).toContain('auto-sync is on')

    const actionOf = (verb: string): Action => {
      const found = integrations.flatMap(({ actions = [] }) => actions).find(({ definition }) => definition.kind === `kubernetes.${verb}`)
      if (!found) throw new Error(`there is no ${verb}`)
      return found
    }
    const stepOf = async (verb: string, parameters: Parameters, target = where): Promise<{ step: Step; observation: Observation }> => {
      const seen = await until(
        `${verb} sees it`,
        async () =>
          await actionOf(verb)
            .observe(target)
            .catch(() => null),
        WITHIN_SECONDS,
      )
      const step = { planId: 'plan', target: seen.target, preconditions: seen.preconditions, parameters }
      return { step, observation: seen }
    }
    const holds = async (verb: string, step: Step, wanted: readonly { field: string; equals: unknown }[]): Promise<boolean> => {
      const names = wanted.map(({ field }) => field)
      const read = await actionOf(verb).readState(step.target, names)
      return wanted.every(({ field, equals }) => read[field] === equals)
    }
    const [pause, rollback] = [actionOf('argo-pause'), actionOf('argo-rollback')]

    const scaled = await stepOf('scale', { replicas: 4 }, { ...where, name: 'payments' })
    expect((await actionOf('scale').dryRun(scaled.step)).cautions).toEqual([
      expect.stringContaining('Pause that first: do argo-pause shop'),
    ])

    const early = await stepOf('argo-rollback', { id: 3 })
    expect(await rollback.effect(early.step, 'execution-0', never)).toMatchObject({
      result: 'refused',
      words: expect.stringContaining('its auto-sync is on'),
    })
    const original = JSON.stringify((await argocd.application())['spec'])

    const paused = await stepOf('argo-pause', { autoSync: 'off' })
    expect((await pause.dryRun(paused.step)).changes).toEqual([{ field: 'autoSync', from: JSON.stringify(AUTOMATED), to: 'off' }])
    expect(await pause.effect(paused.step, 'execution-1', never)).toEqual({ result: 'applied' })
    expect(await pause.probe(paused.step, 'execution-1', never)).toBe('applied')
    expect(await holds('argo-pause', paused.step, pause.success(paused.step, paused.observation).state)).toBe(true)

    const back = await stepOf('argo-rollback', { id: 3 })
    expect((await rollback.dryRun(back.step)).changes).toEqual([
      { field: 'revision', from: SECOND, to: FIRST },
      { field: 'kustomize.images[0]', from: 'shop/payments:v42', to: 'shop/payments:v41' },
    ])
    expect((await argocd.application())['operation']).toBeUndefined()
    expect(await rollback.effect(back.step, 'execution-2', never)).toEqual({ result: 'applied' })
    // Nothing of it was dropped by the declared kind.
    expect((await argocd.application())['operation']).toMatchObject({
      initiatedBy: { username: 'steadyhand' },
      info: [{ name: 'steadyhand.dev/execution', value: 'execution-2' }],
      sync: { revision: FIRST, syncStrategy: { apply: {} }, syncOptions: ['CreateNamespace=true'], source: { path: 'deploy' } },
    })
    expect(await rollback.probe(back.step, 'execution-2', never)).toBe('applied')
    const again = await stepOf('argo-rollback', { id: 3 })
    expect(await rollback.effect(again.step, 'execution-3', never)).toMatchObject({
      result: 'refused',
      words: expect.stringContaining('somebody is already on it'),
    })
    await argocd.play()
    expect(await shop.imageOf('payments')).toBe('shop/payments:v41')
    expect(await holds('argo-rollback', back.step, rollback.success(back.step, back.observation).state)).toBe(true)
    expect(await rollback.probe(back.step, 'execution-2', never)).toBe('applied')
    const changes = async () => (await reading?.changes?.list({ services: ['payments'], from: new Date(0), to: new Date() }))?.changes ?? []
    await until(
      'it is among the changes',
      async () => (await changes()).some(({ summary }) => /^Argo CD deployed 1{8}/.test(summary)),
      WITHIN_SECONDS,
    )

    const forward = rollback.undo(back.step, back.observation)
    if (!forward) throw new Error('there is no way back')
    expect(await rollback.effect({ ...back.step, ...forward }, 'execution-4', never)).toEqual({ result: 'applied' })
    await argocd.play()
    expect(await shop.imageOf('payments')).toBe('shop/payments:v42')
    expect(await holds('argo-rollback', back.step, forward.success.state)).toBe(true)

    const resumed = pause.undo(paused.step, paused.observation)
    if (!resumed) throw new Error('there is no way back')
    expect(await pause.effect({ ...paused.step, ...resumed }, 'execution-5', never)).toEqual({ result: 'applied' })
    expect(JSON.stringify((await argocd.application())['spec'])).toBe(original)
    expect(await rollback.effect(early.step, 'execution-6', never)).toMatchObject({ result: 'refused', reason: 'stale-target' })
  },
  5 * MINUTES,
)

test(
  'by people: a rollback is refused while it syncs by itself; a pause, a rollback right after it, each on a click, verified, and told',
  async (context) => {
    if ('missing' in plane) return context.skip(plane.missing)
    const shop = await openRealShop(plane.kubeconfig, `shop-${randomUUID().slice(0, 8)}`)
    context.onTestFinished(async () => await shop.remove())
    await shop.release('shop/payments:v42')
    const argocd = await openRealArgoCd(shop, `argocd-${randomUUID().slice(0, 8)}`)
    const place = { kubeconfig: plane.kubeconfig, namespace: shop.namespace, argocdNamespace: argocd.namespace }
    const product = await startProductOn({ ...place, prometheusUrl: null, scrapeSeconds: 1 })
    context.onTestFinished(product.stop)
    const { agent } = product.app

    await product.alert('payments', 'ChargesFail')
    const { id: incident } = await product.incidentOf('payments')
    const refusal = await until(
      'the application is known',
      async () => {
        const told = await product.ask('argo-rollback', 'shop', {}, 'carol').then(() => 'asked', String)
        return told.includes('There is no service') ? null : told
      },
      WITHIN_SECONDS,
    )
    expect(refusal).toContain('pause that first (do argo-pause shop)')
    const asked = await product.ask('argo-pause', 'shop', {}, 'carol')
    expect(asked).toMatchObject({
      incidentId: incident,
      plan: {
        target: { kind: 'Application', name: 'shop' },
        changes: [{ field: 'autoSync', to: 'off' }],
        undo: { changes: [{ to: JSON.stringify(AUTOMATED) }] },
      },
    })
    await product.vote(asked, 'alice')
    expect((await product.settled(asked)).execution?.state).toBe('verified')

    const back = await product.ask('argo-rollback', 'shop', {}, 'carol')
    expect(back.plan).toMatchObject({
      action: { title: 'Roll back application shop to deployment 3' },
      changes: [
        { field: 'revision', from: SECOND, to: FIRST },
        { field: 'kustomize.images[0]', to: 'shop/payments:v41' },
      ],
      cautions: [expect.stringContaining('The repository still says')],
      undo: { title: 'Roll back application shop to deployment 4' },
    })
    await product.vote(back, 'alice')
    await until('Argo CD is asked', async () => (await argocd.application())['operation'] !== undefined, WITHIN_SECONDS)
    await argocd.play()
    const done = await product.settled(back)
    expect(done.execution?.state).toBe('verified')
    expect(await shop.imageOf('payments')).toBe('shop/payments:v41')
    expect((await argocd.application())['status']).toMatchObject({
      operationState: { operation: { info: [{ name: 'steadyhand.dev/execution', value: done.execution?.id }] } },
    })
    expect((await agent.verifyAudit()).violations).toEqual([])
  },
  5 * MINUTES,
)
