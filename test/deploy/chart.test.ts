import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { parseSettings } from '../../bot/config/settings-file.ts'
import { neededRights } from '../../integrations/kubernetes/access.ts'
import { type Manifest, renderChart } from '../support/deploy/chart.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const SHOP = {
  rbac: {
    namespaces: [
      { name: 'shop', actions: ['rollback', 'restart', 'scale'] },
      { name: 'quiet', actions: [] },
    ],
  },
}
const kinds = (all: readonly Manifest[], ...wanted: string[]): Manifest[] => all.filter(({ kind }) => wanted.includes(kind))
const workloads = (all: readonly Manifest[]): Manifest[] => kinds(all, 'Deployment', 'StatefulSet', 'Job')
const podOf = ({ spec }: Manifest) => spec.template.spec

const rights = (rules: Manifest['rules'], namespace: string | null): string[] =>
  rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => `${namespace} ${group}/${resource} ${verb}`))),
  )
const unique = (all: readonly string[]): string[] => [...new Set(all)].sort()

describe.each([
  ['one process', {}, ['StatefulSet oncall-all']],
  [
    'three processes',
    { split: true },
    ['Deployment oncall-agent', 'Deployment oncall-edge', 'Job oncall-migrate-3', 'StatefulSet oncall-executor'],
  ],
])('the chart as %s', (_, values, expected) => {
  const all = renderChart({ ...SHOP, ...values })

  test('has these workloads, and each object once', () => {
    expect(
      workloads(all)
        .map(({ kind, metadata }) => `${kind} ${metadata.name}`)
        .sort(),
    ).toEqual(expected)
    const names = all.map(({ kind, metadata }) => `${kind} ${metadata.namespace ?? ''} ${metadata.name}`)
    expect(unique(names)).toEqual(names.toSorted())
  })

  test('runs nothing as root, and on a root that cannot be written to', () => {
    for (const workload of workloads(all)) {
      const { securityContext, containers, serviceAccountName } = podOf(workload)
      expect(securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 65532, seccompProfile: { type: 'RuntimeDefault' } })
      expect(serviceAccountName).not.toBe('default')
      for (const container of containers) {
        expect(container.securityContext).toEqual({
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        })
        expect(container.resources.requests.memory).toMatch(/Mi$/)
        expect(container.resources.limits.memory).toMatch(/Mi$|Gi$/)
      }
    }
  })

  test('asks each process that stays whether it is well, at the port of the probes', () => {
    for (const workload of workloads(all).filter(({ kind }) => kind !== 'Job')) {
      const [{ env, ports, startupProbe, livenessProbe, readinessProbe }] = podOf(workload).containers
      const { containerPort } = ports.find(({ name }: { name: string }) => name === 'health')
      expect(env).toContainEqual({ name: 'HEALTH_PORT', value: String(containerPort) })
      expect([startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet)).toEqual([
        { path: '/healthz', port: 'health' },
        { path: '/healthz', port: 'health' },
        { path: '/readyz', port: 'health' },
      ])
    }
  })

  test('gives every secret as a file that is there, and none as a variable', () => {
    for (const workload of workloads(all)) {
      const { containers, volumes } = podOf(workload)
      const { projected } = volumes.find(({ name }: { name: string }) => name === 'secrets')
      const files = projected.sources.flatMap(({ secret }: { secret: { items: { path: string }[] } }) =>
        secret.items.map(({ path }) => `/run/steadyhand/${path}`),
      )
      const named = containers[0].env.filter(({ name }: { name: string }) => name.endsWith('_FILE'))
      expect(named.map(({ value }: { value: string }) => value).sort()).toEqual(files.sort())
      for (const { name, value } of named) expect(`/run/steadyhand/${name.replace(/_FILE$/, '')}`).toBe(value)
      expect(JSON.stringify(containers[0].env)).not.toContain('secretKeyRef')
    }
  })

  test('keeps the journal of effects of whatever acts', () => {
    for (const { kind, metadata, spec } of workloads(all)) {
      const acts = /-(all|executor)$/.test(metadata.name)
      expect([kind === 'StatefulSet', spec.volumeClaimTemplates !== undefined]).toEqual([acts, acts])
    }
  })

  test('gives exactly the rights that are needed, to read and for each action', () => {
    const given = [...kinds(all, 'Role'), ...kinds(all, 'ClusterRole')].flatMap(({ metadata, rules }) =>
      rights(rules, metadata.namespace ?? null),
    )
    const needed = [
      ...neededRights(['shop'], ['kubernetes.rollback', 'kubernetes.restart', 'kubernetes.scale']),
      // Reading is one role wherever it reads: what an action looks at before it changes is among it.
      ...neededRights(['quiet'], ['kubernetes.none']),
    ].map(({ namespace, group, resource, verb }) => `${namespace} ${group}/${resource} ${verb}`)
    expect(unique(given)).toEqual(unique(needed))
    expect(given.join()).not.toContain('secrets')
  })

  test('gives the right to change to nobody who takes clicks', () => {
    const bindings = kinds(all, 'RoleBinding').filter(({ roleRef }) => !roleRef.name.endsWith('-read'))
    expect(bindings).toHaveLength(3)
    const holders = unique(bindings.flatMap(({ subjects }) => subjects.map(({ name }) => name)))
    expect(holders).toEqual(expected.length > 1 ? ['oncall-agent', 'oncall-executor'] : ['oncall-all'])
    for (const { metadata, roleRef } of kinds(all, 'RoleBinding'))
      expect(kinds(all, 'Role').map((role) => `${role.metadata.namespace} ${role.metadata.name}`)).toContain(
        `${metadata.namespace} ${roleRef.name}`,
      )
  })

  test('lets nothing in and nothing out but what is named', () => {
    const [deny] = kinds(all, 'NetworkPolicy').filter(({ spec }) => spec.policyTypes.length === 2)
    expect(deny?.spec).toMatchObject({ policyTypes: ['Ingress', 'Egress'] })
    expect([deny?.spec.ingress, deny?.spec.egress]).toEqual([undefined, undefined])
    for (const workload of workloads(all)) expect(workload.spec.template.metadata.labels).toMatchObject(deny?.spec.podSelector.matchLabels)
    const open = kinds(all, 'NetworkPolicy').filter((policy) => policy !== deny)
    expect(open.map(({ metadata }) => metadata.name)).toEqual(['oncall-dns'])
  })

  test('hands over settings that can be read', () => {
    const [config] = kinds(all, 'ConfigMap')
    expect(parseSettings(config?.data['steadyhand.yaml'] ?? '').problems).toEqual([])
  })
})

test('each egress that is named is a policy for the processes it names', () => {
  const to = [{ ipBlock: { cidr: '10.0.0.5/32' } }]
  const all = renderChart({ split: true, network: { egress: [{ name: 'database', processes: ['edge', 'migrate'], to, port: 5432 }] } })
  const policy = kinds(all, 'NetworkPolicy').find(({ metadata }) => metadata.name === 'oncall-to-database')
  expect(policy?.spec).toMatchObject({
    podSelector: { matchExpressions: [{ key: 'app.kubernetes.io/component', operator: 'In', values: ['edge', 'migrate'] }] },
    egress: [{ to, ports: [{ protocol: 'TCP', port: 5432 }] }],
  })
})

test('a process sees only the secrets that are its own', () => {
  const secrets = [
    { name: 'ANTHROPIC_API_KEY', secret: 's', key: 'a', processes: ['agent'] },
    { name: 'STEADYHAND_WEBHOOK_TOKEN', secret: 's', key: 'w', processes: ['edge'] },
  ]
  const seen = workloads(renderChart({ split: true, secrets })).map((workload) => [
    workload.metadata.name,
    podOf(workload).containers[0].env.flatMap(({ name }: { name: string }) => (name.endsWith('_FILE') ? [name.replace(/_FILE$/, '')] : [])),
  ])
  expect(Object.fromEntries(seen)).toEqual({
    'oncall-edge': ['DATABASE_URL', 'STEADYHAND_WEBHOOK_TOKEN'],
    'oncall-agent': ['DATABASE_URL', 'ANTHROPIC_API_KEY'],
    'oncall-executor': ['DATABASE_URL'],
    'oncall-migrate-3': ['DATABASE_URL'],
  })
})

test('an action that there is not is refused', () => {
  expect(() => renderChart({ rbac: { namespaces: [{ name: 'shop', actions: ['delete'] }] } })).toThrow('there is no action delete')
})

test('the rules of docs/kubernetes.md give all that is needed', () => {
  const text = readFileSync(join(ROOT, 'docs', 'kubernetes.md'), 'utf8')
  const yaml = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].find(([, block]) => block?.includes('kind: Role'))?.[1] ?? ''
  const given = parseAllDocuments(yaml).flatMap((document) => {
    const { metadata, rules } = document.toJS()
    return rights(rules, metadata.namespace ?? null)
  })
  const needed = neededRights(['shop'], ['kubernetes.rollback', 'kubernetes.restart', 'kubernetes.scale'])
  for (const { namespace, group, resource, verb } of needed) expect(given).toContain(`${namespace} ${group}/${resource} ${verb}`)
})

test('the version of the chart is that of the product', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  expect(parse(readFileSync(join(ROOT, 'deploy', 'helm', 'steadyhand', 'Chart.yaml'), 'utf8'))).toMatchObject({
    version,
    appVersion: version,
  })
})
