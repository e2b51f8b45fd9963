import { expect, test } from 'vitest'
import { createRecording } from '../../../integrations/recordings/index.ts'
import { quantityIn } from '../../../integrations/recordings/quantities.ts'
import { secondsIn } from '../../../integrations/recordings/tables.ts'

const AT = new Date('2026-11-21T10:12:00Z')
const answer = (tool: string, args: object, text: string): string => JSON.stringify({ tool, args, text })
const read = (...answers: string[]) => createRecording(answers.join('\n'), AT).read({ namespace: 'shop' })

const PODS = `NAME                     READY   STATUS             RESTARTS     AGE   IP         NODE     NOMINATED NODE
cart-6d5f7c9b8d-abcde    1/1     Running            0            3d    10.0.0.4   node-1   <none>
pay-7f9dd8b6c4-x7gr9     1/2     CrashLoopBackOff   5 (2m ago)   12m   10.0.0.5   node-2   <none>
mail-7f9dd8b6c4-q7gr9    0/1     Pending            0            12m   <none>     <none>   <none>`

const POD = `Name:             pay-7f9dd8b6c4-x7gr9
Namespace:        shop
Node:             node-2/10.1.0.2
Start Time:       Sat, 21 Nov 2026 10:00:00 +0000
Labels:           app=pay
                  pod-template-hash=7f9dd8b6c4
Status:           Running
Controlled By:    ReplicaSet/pay-7f9dd8b6c4
Containers:
  pay:
    Image:          pay:v2
    State:          Waiting
      Reason:       CrashLoopBackOff
    Last State:     Terminated
      Reason:       OOMKilled
      Exit Code:    137
    Ready:          False
    Restart Count:  5
Conditions:
  Type              Status
  Ready             False
Events:
  Type     Reason   Age                From     Message
  ----     ------   ----               ----     -------
  Warning  BackOff  2m (x12 over 10m)  kubelet  Back-off restarting failed container pay`

test('what was not asked is null, and what is no answer is counted', async () => {
  const recording = createRecording('{"tool":7}\nnonsense\n', AT)
  expect(recording.dropped).toBe(2)
  expect(await recording.read({ namespace: 'shop' })).toMatchObject({ pods: null, nodes: null, events: null, services: null, logs: [] })
})

test('a table tells of pods; none in it is an empty list', async () => {
  const { pods } = await read(answer('get', { kind: 'pods' }, PODS))
  expect(pods?.map(({ workload, node, phase }) => [workload, node, phase])).toEqual([
    ['cart', 'node-1', 'Running'],
    ['pay', 'node-2', 'Running'],
    ['mail', null, 'Pending'],
  ])
  expect(pods?.[1]?.containers.map(({ ready, restarts, state }) => [ready, restarts, state.reason])).toEqual([
    [true, 0, null],
    [false, 5, 'CrashLoopBackOff'],
  ])
  expect((await read(answer('get', { kind: 'pods' }, 'No resources found'))).pods).toEqual([])
})

test('a description knows more than the row it replaces', async () => {
  const { pods, events } = await read(answer('get', { kind: 'po' }, PODS), answer('describe', { kind: 'pod' }, POD))
  expect(pods?.find(({ workload }) => workload === 'pay')).toMatchObject({
    node: 'node-2',
    labels: { app: 'pay', 'pod-template-hash': '7f9dd8b6c4' },
    owner: { kind: 'ReplicaSet', name: 'pay-7f9dd8b6c4' },
    containers: [{ name: 'pay', ready: false, restarts: 5, last: { kind: 'terminated', reason: 'OOMKilled', exitCode: 137 } }],
    conditions: [{ type: 'Ready', status: 'False' }],
  })
  expect(events).toMatchObject([
    {
      reason: 'BackOff',
      count: 12,
      object: { kind: 'Pod', name: 'pay-7f9dd8b6c4-x7gr9' },
      firstAt: new Date('2026-11-21T10:02:00Z'),
      lastAt: new Date('2026-11-21T10:10:00Z'),
    },
  ])
})

test('what a workload asks for and a service selects is read from its YAML', async () => {
  const yaml = `
kind: Deployment
metadata: { name: cart }
spec:
  replicas: 2
  selector: { matchLabels: { app: cart } }
  template:
    metadata: { labels: { app: cart } }
    spec:
      nodeSelector: { disk: ssd }
      containers:
        - name: cart
          ports: [{ containerPort: 8080 }]
          resources: { limits: { cpu: 500m, memory: 1Gi } }
          livenessProbe: { httpGet: { port: 9090, path: / } }
          env: [{ name: KEY, valueFrom: { secretKeyRef: { name: keys, key: cart } } }]
---
kind: Service
metadata: { name: cart }
spec: { selector: { app: cart }, ports: [{ port: 80, targetPort: 8080 }] }
`
  const { pods, services, workloads } = await read(answer('get', { kind: 'pods' }, PODS), answer('yaml', { app: 'cart' }, yaml))
  expect(pods?.[0]?.spec).toMatchObject({
    nodeSelector: { disk: 'ssd' },
    containers: [
      { limits: { cpu: 0.5, memory: 1_073_741_824 }, liveness: { kind: 'http', port: 9090 }, env: [{ from: { name: 'keys' } }] },
    ],
  })
  expect(services).toMatchObject([{ name: 'cart', selector: { app: 'cart' }, ports: [{ port: 80, target: 8080 }] }])
  expect(workloads).toMatchObject([{ kind: 'Deployment', name: 'cart', desired: 2 }])
})

test('services of a node, calls between pods, logs, claims and policies', async () => {
  const state = await read(
    answer('node_service', { node: 'node-2', service: 'kubelet' }, 'Active: inactive (dead)'),
    answer('connectivity', { from: 'cart', to: 'pay', port: 80 }, 'connect: connection refused'),
    answer('logs', { app: 'cart', level: 'error' }, '2026-11-21T10:11:00Z ERROR no such host\n'),
    answer('get', { kind: 'networkpolicies' }, 'NAME          POD-SELECTOR   AGE\ndeny-egress   app=cart       3m'),
    answer('describe', { kind: 'pvc' }, 'Name:          data\nStorageClass:  fast\nStatus:        Pending\n'),
    answer(
      'get',
      { kind: 'nodes' },
      'NAME     STATUS                        ROLES    AGE\nnode-2   NotReady,SchedulingDisabled   <none>   3d',
    ),
  )
  expect(state).toMatchObject({
    parts: [{ name: 'kubelet', node: 'node-2', healthy: false }],
    connections: [{ from: 'cart', to: 'pay', port: 80, ok: false }],
    logs: [{ workload: 'cart', level: 'error', lines: [{ at: new Date('2026-11-21T10:11:00Z') }] }],
    networkPolicies: [{ name: 'deny-egress', selector: { app: 'cart' } }],
    claims: [{ name: 'data', phase: 'Pending', storageClass: 'fast' }],
    nodes: [{ name: 'node-2', unschedulable: true, conditions: [{ type: 'Ready', status: 'False' }] }],
  })
})

test('the time of a trace is told with and without what was waited for', async () => {
  const tree = '├─ GET / (web) - 100.0ms (span_id=1)\n  ├─ query (pay) - 90.5ms (span_id=2)'
  expect((await read(answer('trace', {}, tree))).spans).toEqual([
    { service: 'web', operation: 'GET /', ms: 100, ownMs: 9.5 },
    { service: 'pay', operation: 'query', ms: 90.5, ownMs: 90.5 },
  ])
})

test('another namespace is not read', async () => {
  const table =
    'NAMESPACE   NAME    READY   STATUS    RESTARTS   AGE\nother       cart    1/1     Running   0          3d\nshop        pay     1/1     Running   0          3d'
  expect((await read(answer('get', { kind: 'pods' }, table))).pods?.map(({ name }) => name)).toEqual(['pay'])
})

test.each([
  ['500m', 0.5],
  ['1Gi', 1_073_741_824],
  ['2k', 2_000],
  ['4', 4],
  ['much', null],
])('the quantity %s is %s', (text, value) => {
  expect(quantityIn(text)).toBe(value)
})

test.each([
  ['3d4h', 273_600],
  ['5m32s', 332],
  ['<unknown>', null],
])('the age %s is %s seconds', (text, seconds) => {
  expect(secondsIn(text)).toBe(seconds)
})
