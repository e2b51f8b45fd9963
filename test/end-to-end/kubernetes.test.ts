import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, type TestContext, test } from 'vitest'
import { Refusal } from '../../agent/domain/refusal.ts'
import { ApiServer } from '../support/kubernetes/api-server.ts'
import { startProductOn } from '../support/kubernetes/product-on-cluster.ts'
import { AFTER_RELEASE_MS, DEPLOYMENTS, NAMESPACE, seedDeployment, writeKubeconfig } from '../support/kubernetes/shop-cluster.ts'

const MINUTES = 60_000

interface Deployment {
  spec: { template: { spec: { containers: { image: string }[] } } }
}

const imageOf = (server: ApiServer): string | undefined =>
  (server.object(`${DEPLOYMENTS}/payments`) as unknown as Deployment | null)?.spec.template.spec.containers[0]?.image

/** Answers range queries: since the release of v42 most requests fail, for as long as it runs. */
async function serveMetrics(context: TestContext, cluster: ApiServer): Promise<string> {
  const releasedAt = Date.now() - AFTER_RELEASE_MS + 5_000
  let mendedAt = Number.POSITIVE_INFINITY
  const server = createServer((request, response) => {
    if (imageOf(cluster) === 'shop/payments:v41') mendedAt = Math.min(mendedAt, Date.now())
    const query = new URL(request.url ?? '', 'http://127.0.0.1').searchParams
    const [start, end, step] = ['start', 'end', 'step'].map((name) => Number(query.get(name))) as [number, number, number]
    const asked = query.get('query') ?? ''
    const values: [number, string][] = []
    for (let at = start; at <= end && values.length < 11_000; at += step) {
      const isBad = at * 1_000 >= releasedAt && at * 1_000 < mendedAt
      if (asked.includes('5..')) values.push([at, isBad ? '0.62' : '0.001'])
      else if (asked.startsWith('sum(rate(')) values.push([at, '20'])
      else if (asked.startsWith('histogram_quantile')) values.push([at, '0.05'])
    }
    const result = values.length > 0 && asked.includes('service="payments"') ? [{ metric: {}, values }] : []
    response.writeHead(200, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ status: 'success', data: { resultType: 'matrix', result } }))
  }).listen(0, '127.0.0.1')
  context.onTestFinished(() => void server.close())
  await once(server, 'listening')
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test(
  'a bad release on a cluster: an alert, its cause, a card with the dry run, a refusal, a click, one rollback, verified',
  async (context) => {
    const cluster = new ApiServer()
    const address = await cluster.start()
    const kubeconfig = writeKubeconfig(address)
    context.onTestFinished(async () => {
      await cluster.stop()
      kubeconfig.remove()
    })
    seedDeployment(cluster, 'payments', [{ image: 'shop/payments:v41' }, { image: 'shop/payments:v42' }])
    const prometheusUrl = await serveMetrics(context, cluster)
    const product = await startProductOn({ kubeconfig: kubeconfig.path, namespace: NAMESPACE, prometheusUrl, scrapeSeconds: 1 })
    context.onTestFinished(product.stop)

    await product.alert('payments')
    const incident = await product.incidentOf('payments')
    const asked = await product.asked(incident)
    const { plan } = asked
    expect(plan.action).toMatchObject({ kind: 'kubernetes.rollback', title: 'Roll back payments to revision 1' })
    expect(plan.cause).toEqual({ class: 'bad_release', component: 'service/payments' })
    expect(plan.changes).toContainEqual({ field: 'spec.containers[app].image', from: 'shop/payments:v42', to: 'shop/payments:v41' })
    expect(plan.symptom).toMatchObject({ service: 'payments', metric: 'error_ratio', comparator: '<=', threshold: '0.05' })

    await expect(product.vote(asked, 'bob')).rejects.toBeInstanceOf(Refusal)
    expect(cluster.effects).toEqual([])
    await product.vote(asked, 'alice')
    const done = await product.settled(asked)
    expect(done.execution?.state).toBe('verified')
    expect(imageOf(cluster)).toBe('shop/payments:v41')
    expect(cluster.effects).toHaveLength(1)
    expect((await product.app.agent.verifyAudit()).violations).toEqual([])
  },
  8 * MINUTES,
)
