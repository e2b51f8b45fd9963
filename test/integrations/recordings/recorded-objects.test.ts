import { describe, expect, test } from 'vitest'
import { createRecording } from '../../../integrations/recordings/index.ts'

const AT = new Date('2026-11-21T10:12:00Z')
const answer = (tool: string, args: object, text: string): string => JSON.stringify({ tool, args, text })
const read = (...answers: string[]) => createRecording(answers.join('\n'), AT).read({ namespace: 'shop' })

describe('quotas', () => {
  test('of a table', async () => {
    const { quotas } = await read(
      answer(
        'get',
        { kind: 'resourcequotas' },
        'NAME      REQUEST                            LIMIT               AGE\ncompute   pods: 6/8, requests.cpu: 1500m/2   limits.cpu: 2/2     3d',
      ),
    )
    expect(quotas).toEqual([
      {
        name: 'compute',
        limits: [
          { resource: 'pods', used: 6, hard: 8 },
          { resource: 'requests.cpu', used: 1.5, hard: 2 },
          { resource: 'limits.cpu', used: 2, hard: 2 },
        ],
      },
    ])
  })

  test('of a description', async () => {
    const text =
      'Name:            objects\nNamespace:       shop\nResource         Used  Hard\n--------         ----  ----\nservices         5     5\nlimits.memory    1Gi   2Gi\n'
    const { quotas } = await read(answer('describe', { kind: 'quota', name: 'objects' }, text))
    expect(quotas?.[0]?.limits).toEqual([
      { resource: 'services', used: 5, hard: 5 },
      { resource: 'limits.memory', used: 1_073_741_824, hard: 2_147_483_648 },
    ])
  })
})

test('where an ingress leads is told by its description, and by its YAML', async () => {
  const described = `Name:             public
Rules:
  Host         Path  Backends
  ----         ----  --------
  shop.example  
               /       web:8080 (10.0.0.4:8080)
               /cart   cart-old:7070 (<error: services "cart-old" not found>)
`
  const yaml = `
kind: Ingress
metadata: { name: internal }
spec: { rules: [{ http: { paths: [{ path: /pay, backend: { service: { name: pay, port: { name: http } } } }] } }] }
`
  const { routes } = await read(answer('describe', { kind: 'ingress' }, described), answer('yaml', {}, yaml))
  expect(routes).toEqual([
    {
      name: 'public',
      rules: [
        { host: 'shop.example', path: '/', service: 'web', port: 8080 },
        { host: 'shop.example', path: '/cart', service: 'cart-old', port: 7070 },
      ],
    },
    { name: 'internal', rules: [{ host: null, path: '/pay', service: 'pay', port: 'http' }] },
  ])
})

test('an autoscaler belongs to the workload it scales', async () => {
  const { workloads } = await read(
    answer('get', { kind: 'deployments' }, 'NAME   READY   UP-TO-DATE   AVAILABLE   AGE\ncart   3/3     3            3           3d'),
    answer(
      'get',
      { kind: 'hpa' },
      'NAME   REFERENCE         TARGETS   MINPODS   MAXPODS   REPLICAS   AGE\ncart   Deployment/cart   92%/60%   2         3         3          3d',
    ),
  )
  expect(workloads).toMatchObject([{ name: 'cart', autoscaling: { min: 2, max: 3, current: 3 } }])
})

const POD = `Name:             pay-7f9dd8b6c4-x7gr9
Namespace:        shop
Service Account:  default
Node:             node-2/10.1.0.2
Status:           Running
Controlled By:    ReplicaSet/pay-7f9dd8b6c4
Containers:
  main:
    Image:      pay:v2
    Port:       8080/TCP (serve)
    Limits:
      cpu:     500m
      memory:  1Gi
    Liveness:   http-get http://:9090/live delay=15s timeout=1s period=10s #success=1 #failure=3
    Readiness:  tcp-socket :serve delay=0s timeout=1s period=5s #success=1 #failure=3
    Environment:
      STOCK_ADDR:  stock:7070
      KEY:         <set to the key 'token' in secret 'pay-key'>  Optional: false
    Mounts:
      /data from data (rw)
Volumes:
  data:
    Type:       PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)
    ClaimName:  pay-data
Node-Selectors:              disk=ssd
                             zone=b
Tolerations:                 dedicated=batch:NoSchedule
Events:                      <none>
`

test('a described pod tells what it asks for; what a description leaves out is told by its workload', async () => {
  const yaml = `
kind: Deployment
metadata: { name: pay }
spec:
  template:
    spec:
      containers: [{ name: main }]
      affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: gpu, operator: Exists }] }] } } }
`
  const { pods } = await read(answer('describe', { kind: 'pod' }, POD), answer('yaml', { app: 'pay' }, yaml))
  expect(pods?.[0]?.spec).toMatchObject({
    nodeSelector: { disk: 'ssd', zone: 'b' },
    nodeAffinity: [{ key: 'gpu', operator: 'Exists' }],
    tolerations: [{ key: 'dedicated', value: 'batch', effect: 'NoSchedule' }],
    volumes: [{ name: 'data', kind: 'claim', source: 'pay-data' }],
    containers: [
      {
        name: 'main',
        ports: [{ name: 'serve', port: 8080, protocol: 'TCP' }],
        limits: { cpu: 0.5, memory: 1_073_741_824 },
        liveness: { kind: 'http', port: 9090, path: '/live', initialDelaySeconds: 15, periodSeconds: 10, failureThreshold: 3 },
        readiness: { kind: 'tcp', port: 'serve' },
        env: [
          { name: 'STOCK_ADDR', value: 'stock:7070', from: null },
          { name: 'KEY', value: null, from: { kind: 'secret', name: 'pay-key', key: 'token' } },
        ],
        mounts: [{ volume: 'data', path: '/data', readOnly: false }],
      },
    ],
  })
})

test('nodes, services, volumes, claims and policies by what describes them', async () => {
  const node = `Name:               node-1
Labels:             tier=data
Taints:             dedicated=batch:NoSchedule
                    spot:NoExecute
Unschedulable:      true
Conditions:
  Type             Status  LastHeartbeatTime                 LastTransitionTime                Reason                     Message
  ----             ------  -----------------                 ------------------                ------                     -------
  DiskPressure     True    Sat, 21 Nov 2026 10:00:00 +0000   Sat, 21 Nov 2026 09:58:00 +0000   KubeletHasDiskPressure     kubelet has disk pressure
  Ready            Unknown   Sat, 21 Nov 2026 10:00:00 +0000   Sat, 21 Nov 2026 10:00:00 +0000   NodeStatusUnknown          Kubelet stopped posting node status.
Allocatable:
  cpu:     4
  memory:  8Gi
`
  const service =
    'Name:         pay\nSelector:     app=pay\nType:         ClusterIP\nPort:         serve  80/TCP\nTargetPort:   8080/TCP\nEndpoints:    10.0.0.5:8080\n'
  const volume =
    'Name:            vol-a\nLabels:          use=index\nStorageClass:    manual\nStatus:          Bound\nClaim:           shop/archive\nAccess Modes:    RWO\nCapacity:        10Gi\n'
  const claim =
    'kind: PersistentVolumeClaim\nmetadata: { name: pay-data }\nspec: { storageClassName: manual, accessModes: [ReadWriteMany], resources: { requests: { storage: 5Gi } }, volumeName: vol-a }\nstatus: { phase: Pending }\n'
  const policy = `Name:         tighten
Spec:
  PodSelector:     app=pay
  Allowing ingress traffic:
    To Port: 8080/TCP
    From:
      PodSelector: role=admin
  Not affecting egress traffic
  Policy Types: Ingress
`
  const state = await read(
    answer('describe', { kind: 'node' }, node),
    answer('describe', { kind: 'svc' }, service),
    answer('describe', { kind: 'pv' }, volume),
    answer('yaml', { app: 'pay' }, claim),
    answer('describe', { kind: 'netpol' }, policy),
  )
  expect(state).toMatchObject({
    nodes: [
      {
        name: 'node-1',
        labels: { tier: 'data' },
        unschedulable: true,
        taints: [
          { key: 'dedicated', value: 'batch', effect: 'NoSchedule' },
          { key: 'spot', value: null, effect: 'NoExecute' },
        ],
        conditions: [{ type: 'DiskPressure', status: 'True', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' }, {}],
        allocatable: { cpu: 4, memory: 8_589_934_592 },
      },
    ],
    services: [{ name: 'pay', selector: { app: 'pay' }, ports: [{ port: 80, target: 8080 }], endpoints: ['10.0.0.5:8080'] }],
    volumes: [{ name: 'vol-a', claim: 'shop/archive', labels: { use: 'index' }, accessModes: ['ReadWriteOnce'] }],
    claims: [{ name: 'pay-data', phase: 'Pending', accessModes: ['ReadWriteMany'], requested: 5_368_709_120, volume: 'vol-a' }],
    networkPolicies: [
      {
        name: 'tighten',
        selector: { app: 'pay' },
        directions: ['ingress'],
        allows: [{ direction: 'ingress', peers: [{ role: 'admin' }], ports: [8080] }],
      },
    ],
  })
})

describe('alerts', () => {
  const labels = { alertname: 'HighLatency', app: 'cart', namespace: 'shop' }
  const annotations = { summary: 'p99 of cart is 2 s' }
  const expected = [{ name: 'HighLatency', about: 'cart', summary: 'p99 of cart is 2 s', firing: true }]

  test.each([
    ['Alertmanager', JSON.stringify([{ labels, annotations, startsAt: '2026-11-21T10:00:00Z', status: { state: 'active' } }])],
    ['Prometheus', JSON.stringify({ data: { alerts: [{ labels, annotations, state: 'firing', activeAt: '2026-11-21T10:00:00Z' }] } })],
    ['a table', 'ALERT         SERVICE   STATE    SUMMARY\nHighLatency   cart      firing   p99 of cart is 2 s'],
  ])('as %s tells them', async (_, text) => {
    expect((await read(answer('alerts', {}, text))).alerts).toMatchObject(expected)
  })

  test('one that is over does not fire, none is an empty list, and not asked is null', async () => {
    const over = JSON.stringify([{ labels, annotations, status: 'resolved' }])
    expect((await read(answer('alerts', {}, over))).alerts).toMatchObject([{ firing: false }])
    expect((await read(answer('alerts', {}, 'No active alerts.'))).alerts).toEqual([])
    expect((await read()).alerts).toBeNull()
  })

  test('words under a name are about it', async () => {
    const { alerts } = await read(answer('alerts', {}, '{"cart":["CPU at 99%","slow"],"pay":[]}'))
    expect(alerts?.map(({ about, summary }) => `${about}: ${summary}`)).toEqual(['cart: CPU at 99%', 'cart: slow'])
  })

  test('a line is an alert of its own', async () => {
    expect((await read(answer('alerts', {}, '[FIRING] pod=cart-0 CPU at 99%'))).alerts).toMatchObject([{ about: 'cart-0', firing: true }])
  })
})

test.each([
  ['edges', '{"edges":[{"from":"web","to":"cart"},{"source":"cart","target":"stock"}]}'],
  ['lists', '{"service":"cart","downstream":["stock"],"upstream":[{"name":"web"}]}'],
  ['a table', 'FROM   TO\nweb    cart\ncart   stock'],
  ['arrows', 'web -> cart -> stock'],
  ['headings', 'Downstream:\n  - stock\nUpstream:\n  - web'],
])('who calls whom, told as %s', async (_, text) => {
  const { calls } = await read(answer('dependencies', { app: 'cart' }, text))
  expect(calls?.map(({ from, to }) => `${from} ${to}`).sort()).toEqual(['cart stock', 'web cart'])
})

test('series of a query, and a table of numbers', async () => {
  const matrix = {
    data: {
      resultType: 'matrix',
      result: [
        {
          metric: { app: 'cart' },
          values: [
            [1_795_000_000, '1'],
            [1_795_000_300, '2.5'],
            [1, 'NaN'],
          ],
        },
      ],
    },
  }
  const { measures } = await read(
    answer('metrics', { query: 'memory' }, JSON.stringify(matrix)),
    answer('metrics', { query: 'top' }, 'NAME     CPU(cores)   MEMORY(bytes)\ncart-0   250m         128Mi'),
  )
  expect(measures).toEqual([
    {
      name: 'memory',
      labels: { app: 'cart' },
      samples: [
        { at: new Date(1_795_000_000_000), value: 1 },
        { at: new Date(1_795_000_300_000), value: 2.5 },
      ],
    },
    { name: 'top cpu(cores)', labels: { name: 'cart-0' }, samples: [{ at: null, value: 0.25 }] },
    { name: 'top memory(bytes)', labels: { name: 'cart-0' }, samples: [{ at: null, value: 134_217_728 }] },
  ])
})

test('what is too much, too deep or no answer at all is left out, and breaks nothing', async () => {
  const deep = `${'['.repeat(5_000)}${']'.repeat(5_000)}`
  const many = JSON.stringify(Array.from({ length: 5_000 }, (_, i) => ({ alertname: `a${i}`, service: 'x' })))
  const state = await read(
    answer('alerts', {}, many),
    answer('alerts', {}, deep),
    answer('dependencies', { app: '__proto__' }, '{"__proto__":{"from":"a","to":"b"},"calls":[null,7,{}]}'),
    answer('metrics', {}, '{"data":{"result":[null,{"metric":7},{"value":[1]}]}}'),
    answer('describe', { kind: 'quota' }, 'Name: x\nResource Used Hard\n\u0000 ∞ -1'),
    answer('yaml', {}, 'a: &a [*a, *a'),
    answer('dependencies', { app: 'x' }, '-'.repeat(300_000)),
    answer('get', { kind: 'quota' }, `NAME   REQUEST\n${'a'.repeat(300_000)}`),
    answer('logs', { app: 'x' }, 'kind: Service\nmetadata: { name: forged }\nspec: { selector: { app: nobody } }'),
  )
  expect(state.alerts?.length).toBe(500)
  expect(state.measures).toEqual([])
  expect(state.services).toBeNull()
  expect(state.quotas?.flatMap(({ limits }) => limits)).toEqual([])
})

test('parts of the platform are told by service managers, whatever their logs say, and by pods of its own namespace', async () => {
  const status = '● kubelet.service\n   Active: active (running) since Mon\nE1121 failed to sync pod'
  const system = `NAMESPACE     NAME                       READY   STATUS             RESTARTS   AGE   IP         NODE
kube-system   kube-apiserver-cp          1/1     Running            0          3d    10.0.0.1   cp
kube-system   kube-proxy-x7gr9           0/1     CrashLoopBackOff   9          3d    10.0.0.2   node-1`
  const { parts, pods } = await read(
    answer('node_service', { node: 'node-2', service: 'kubelet' }, status),
    answer('get', { kind: 'pods', namespace: 'kube-system' }, system),
  )
  expect(pods).toBeNull()
  expect(parts?.map(({ name, node, healthy }) => [name, node, healthy])).toEqual([
    ['kubelet', 'node-2', true],
    ['kube-proxy', 'node-1', false],
    ['kube-scheduler', null, false],
  ])
})
