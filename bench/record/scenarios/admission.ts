import type { Fault, Scenarios, Target } from '../scenario.ts'
import { victims } from './start.ts'

const quota = (name: string, hard: object): object => ({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name }, spec: { hard } })

export const admissionScenarios: Scenarios = {
  // Ten or nine pods of 100m and 64Mi (limits 300m, 256Mi) are wanted: the quota ends before.
  namespace_cpu_quota_exceeded: (target) =>
    refused(
      target,
      quota(
        target.pick(['compute', 'team-limits', 'default-quota']),
        target.pick([{ 'limits.cpu': '2' }, { 'requests.cpu': '700m' }, { 'limits.cpu': '2100m', pods: '40' }]),
      ),
    ),
  namespace_memory_quota_exceeded: (target) =>
    refused(
      target,
      quota(
        target.pick(['compute', 'mem', 'team-limits']),
        target.pick([{ 'limits.memory': '2Gi' }, { 'requests.memory': '512Mi', 'requests.cpu': '20' }, { 'limits.memory': '1792Mi' }]),
      ),
    ),
  namespace_pod_quota_exceeded: (target) =>
    refused(target, quota(target.pick(['objects', 'pods-max', 'small']), { pods: target.pick(['8', '7', '6']) })),
  namespace_service_quota_exceeded: (target) => {
    const { system, app, callers } = target
    // All but the last of them get a service: the app that has none cannot be called by its name.
    const last = { [app.name]: { service: null } }
    return {
      component: `namespace/${system.namespace}`,
      question: target.pick([
        `${callers[0]?.name} cannot find ${app.name}.`,
        'A new service cannot be created.',
        'Calls fail since the move to this namespace.',
      ]),
      objects: [quota(target.pick(['objects', 'net-objects', 'small']), { services: String(system.apps.length - 1) })],
      changes: last,
      ask: ['resourcequota'],
      logs: victims(
        target,
        target.pick([
          `lookup ${app.name} on 10.96.0.10:53: no such host`,
          `java.net.UnknownHostException: ${app.name}`,
          `getaddrinfo ENOTFOUND ${app.name}`,
        ]),
      ),
    }
  },
  namespace_storage_quota_exceeded: (target) => {
    const { system } = target
    const name = target.pick(['search-index', 'ledger', 'photos'])
    const labels = { app: name }
    return {
      component: `namespace/${system.namespace}`,
      question: target.pick([`${name} has no pods.`, 'A stateful set does not start.', 'What refuses the new volumes?']),
      objects: [
        quota('storage', target.pick([{ 'requests.storage': '10Gi' }, { persistentvolumeclaims: '0' }, { 'requests.storage': '30Gi' }])),
        {
          apiVersion: 'apps/v1',
          kind: 'StatefulSet',
          metadata: { name },
          spec: {
            serviceName: name,
            replicas: 1,
            selector: { matchLabels: labels },
            template: { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'example/store:3' }] } },
            volumeClaimTemplates: [
              { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '40Gi' } } } },
            ],
          },
        },
      ],
      ask: ['statefulset', 'pvc', 'resourcequota'],
    }
  },
  admission_webhook_denied: (target) => {
    const { app, system } = target
    if (target.variant === 1) {
      const namespace = {
        apiVersion: 'v1',
        kind: 'Namespace',
        metadata: { name: system.namespace, labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } },
      }
      return { ...refused(target, namespace), component: `app/${app.name}`, changes: { [app.name]: { pod: { hostNetwork: true } } } }
    }
    const label = target.pick(['owner', 'owner', 'cost-centre'])
    const metadata = { name: `require-${label}` }
    const policy = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicy',
      metadata,
      spec: {
        failurePolicy: 'Fail',
        matchConstraints: { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }] },
        validations: [
          {
            expression: `!has(object.metadata.labels.app) || object.metadata.labels.app != '${app.name}'`,
            message: `pods must carry the label ${label}`,
          },
        ],
      },
    }
    const binding = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: metadata.name, validationActions: ['Deny'] },
    }
    return { ...refused(target, policy), objects: [policy, binding], component: `app/${app.name}`, ask: ['replicaset'] }
  },
}

function refused(target: Target, object: object): Fault {
  const { system, app } = target
  return {
    component: `namespace/${system.namespace}`,
    question: target.pick([`Not all replicas of ${app.name} are there.`, 'A rollout does not go on.', 'Pods are missing. Why?']),
    objects: [object],
    changes: { [app.name]: { replicas: 5 } },
    ask: ['resourcequota', 'replicaset'],
    logs: victims(target, 'connection refused'),
  }
}
