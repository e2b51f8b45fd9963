import { expect, test } from 'vitest'
import { workloadSchema } from '../../../integrations/kubernetes/objects.ts'

test('of annotations only those that are read are kept: manifests in others may hold secrets', () => {
  const metadata = {
    annotations: {
      'deployment.kubernetes.io/revision': '7',
      'kubectl.kubernetes.io/last-applied-configuration': '{"env":[{"name":"PASSWORD","value":"hush-hush"}]}',
      'vault.example/token': 'hush-hush',
    },
  }
  const template = { metadata: { annotations: { 'kubectl.kubernetes.io/restartedAt': 'now', note: 'hush-hush' } }, spec: {} }
  const workload = workloadSchema.parse({ metadata: { name: 'payments', uid: 'x', ...metadata }, spec: { template } })
  expect(workload.metadata.annotations).toEqual({ 'deployment.kubernetes.io/revision': '7' })
  expect(workload.spec.template.metadata?.annotations).toEqual({ 'kubectl.kubernetes.io/restartedAt': 'now' })
})
