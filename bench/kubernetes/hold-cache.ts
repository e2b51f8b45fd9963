import { setTimeout as pause } from 'node:timers/promises'
import { IntegrationError } from '../../integrations/errors.ts'
import { openIntegration } from './one-incident.ts'

/** `node --expose-gc hold-cache.ts KUBECONFIG NAMESPACE PODS`: follows the namespace until so many pods are known, and prints what that takes. */
const [kubeconfig = '', namespace = '', pods = '0'] = process.argv.slice(2)
const integration = openIntegration(kubeconfig, namespace)
const heapNow = (): number => {
  globalThis.gc?.()
  return process.memoryUsage().heapUsed
}
const notYet = (error: unknown): null => {
  if (error instanceof IntegrationError) return null
  throw error
}
const before = heapNow()
await integration.start()
for (;;) {
  const known = await integration.clusterState?.read({ namespace }).catch(notYet)
  if ((known?.pods?.length ?? 0) >= Number(pods)) break
  await pause(500)
}
const heapMb = (heapNow() - before) / 1e6
console.log(JSON.stringify({ heapMb, rssMb: process.memoryUsage().rss / 1e6 }))
await integration.stop()
