import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { parseSettings } from '../../bot/config/settings-file.ts'
import { LOCAL, loadConfig } from '../../bot/config.ts'
import { consolePresentations } from '../../bot/configured-people.ts'
import { neededRights } from '../../integrations/kubernetes/access.ts'
import { type Manifest, renderChart } from '../support/deploy/chart.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const ACTIONS = 'rollback restart scale autoscaler set-resources pause delete-pod cordon argo-pause argo-sync argo-rollback'.split(' ')
const SHOP = {
  rbac: {
    namespaces: [
      { name: 'shop', actions: ACTIONS },
      { name: 'quiet', actions: [] },
    ],
    argocdNamespace: 'argocd',
  },
}
const AUDIT_KEY = { name: 'STEADYHAND_AUDIT_KEY', secret: 's', key: 'k', processes: ['edge'] }
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
      // A migration of a large database goes before the first answer.
      expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThanOrEqual(1_800)
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
      ...neededRights(
        ['shop'],
        ACTIONS.map((action) => `kubernetes.${action}`),
        'argocd',
      ),
      // Reading is one role wherever it reads: what an action looks at before it changes is among it.
      ...neededRights(['quiet'], ['kubernetes.none']),
    ].map(({ namespace, group, resource, verb }) => `${namespace} ${group}/${resource} ${verb}`)
    expect(unique(given)).toEqual(unique(needed))
    expect(given.join()).not.toContain('secrets')
  })

  test('gives the right to change to nobody who takes clicks', () => {
    const bindings = kinds(all, 'RoleBinding', 'ClusterRoleBinding').filter(({ roleRef }) => !/-read(-nodes)?$/.test(roleRef.name))
    expect(bindings).toHaveLength(ACTIONS.length)
    const holders = unique(bindings.flatMap(({ subjects }) => subjects.map(({ name }) => name)))
    expect(holders).toEqual(expected.length > 1 ? ['oncall-agent', 'oncall-executor'] : ['oncall-all'])
    for (const { metadata, roleRef } of kinds(all, 'RoleBinding'))
      expect(kinds(all, 'Role').map((role) => `${role.metadata.namespace} ${role.metadata.name}`)).toContain(
        `${metadata.namespace} ${roleRef.name}`,
      )
  })

  test('gives no right to nodes that an action does not need', () => {
    const rbac = { namespaces: [{ name: 'shop', actions: ['pause'] }] }
    const changing = kinds(renderChart({ ...values, rbac }), 'Role', 'ClusterRole').filter(
      ({ metadata }) => !/-read(-nodes)?$/.test(metadata.name),
    )
    expect(changing.map(({ kind, rules }) => [kind, rules])).toEqual([
      ['Role', [{ apiGroups: ['apps'], resources: ['deployments'], verbs: ['patch'] }]],
    ])
  })

  test('gives rights to applications of Argo CD only where they are, once, and not without saying where', () => {
    const namespaces = ['shop', 'bank'].map((name) => ({ name, actions: ['argo-sync'] }))
    const roles = kinds(renderChart({ ...values, rbac: { namespaces, argocdNamespace: 'gitops' } }), 'Role').filter(({ rules }) =>
      JSON.stringify(rules).includes('argoproj.io'),
    )
    expect(roles.map(({ metadata }) => [metadata.namespace, metadata.name])).toEqual([
      ['gitops', 'oncall-argocd-read'],
      ['gitops', 'oncall-argo-sync'],
    ])
    expect(() => renderChart({ ...values, rbac: { namespaces } })).toThrow('rbac.argocdNamespace is missing')
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

test('answers to the names of its Service, beside those it is given, and to none that somebody outside could own', () => {
  const settings = { hosts: ['steadyhand.example.com'] }
  for (const [all, given] of [
    [renderChart(), []],
    [renderChart({ settings }), settings.hosts],
  ] as const) {
    const read = parseSettings(kinds(all, 'ConfigMap')[0]?.data['steadyhand.yaml'] ?? '').settings
    expect(read).toMatchObject({ local: { enabled: false }, hosts: [...given, 'oncall', 'oncall.sre.svc', 'oncall.sre.svc.cluster.local'] })
    expect(kinds(all, 'Service').map(({ metadata }) => metadata.name)).toEqual(['oncall'])
  }
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
    AUDIT_KEY,
  ]
  const seen = workloads(renderChart({ split: true, secrets })).map((workload) => [
    workload.metadata.name,
    podOf(workload).containers[0].env.flatMap(({ name }: { name: string }) => (name.endsWith('_FILE') ? [name.replace(/_FILE$/, '')] : [])),
  ])
  expect(Object.fromEntries(seen)).toEqual({
    'oncall-edge': ['DATABASE_URL', 'STEADYHAND_WEBHOOK_TOKEN', 'STEADYHAND_AUDIT_KEY'],
    'oncall-agent': ['DATABASE_URL', 'ANTHROPIC_API_KEY'],
    'oncall-executor': ['DATABASE_URL'],
    'oncall-migrate-3': ['DATABASE_URL'],
  })
})

test('the identity provider, connected as the values show, is known to whoever says where a vote counts', () => {
  const shown = readFileSync(join(ROOT, 'deploy', 'helm', 'steadyhand', 'values.yaml'), 'utf8')
  const entries = [...shown.matchAll(/^# - (\{ name: OIDC_.*\})$/gm)].map(([, entry]) => parse(entry ?? ''))
  const [env, secrets] = [entries.filter(({ value }) => value), entries.filter(({ secret }) => secret)]
  expect([env.length, secrets.length]).toEqual([2, 1])
  const knows = workloads(renderChart({ split: true, env, secrets: [...secrets, AUDIT_KEY] })).map((workload) => {
    const given: { name: string; value: string }[] = podOf(workload).containers[0].env
    const oidc = given.filter(({ name }) => name.startsWith('OIDC_')).map(({ name, value }) => [name.replace(/_FILE$/, ''), value])
    return [
      workload.metadata.name,
      consolePresentations(loadConfig(Object.fromEntries(oidc), import.meta.dirname)).map(({ tenant }) => tenant),
    ]
  })
  const everywhere = [LOCAL, 'https://login.example.com']
  expect(Object.fromEntries(knows)).toEqual({
    'oncall-edge': everywhere,
    'oncall-agent': everywhere,
    'oncall-executor': [LOCAL],
    'oncall-migrate-3': [LOCAL],
  })
})

test('every edge signs exports of the audit log with one key: split without it is refused', () => {
  for (const secrets of [[], [{ ...AUDIT_KEY, processes: ['agent'] }]]) {
    expect(() => renderChart({ split: true, secrets })).toThrow('STEADYHAND_AUDIT_KEY')
    expect(() => renderChart({ secrets })).not.toThrow()
  }
  expect(() => renderChart({ split: true, secrets: [{ ...AUDIT_KEY, processes: undefined }] })).not.toThrow()
})

test('an action that there is not is refused', () => {
  expect(() => renderChart({ rbac: { namespaces: [{ name: 'shop', actions: ['delete'] }] } })).toThrow('there is no action delete')
})

test('the rules of docs/kubernetes.md give all that is needed', () => {
  const text = readFileSync(join(ROOT, 'docs', 'kubernetes.md'), 'utf8')
  const blocks = [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(([, block]) => (block?.includes('kind: Role') ? [block] : []))
  const given = blocks.flatMap((block) =>
    parseAllDocuments(block).flatMap((document) => {
      const { metadata, rules } = document.toJS()
      return rights(rules, metadata.namespace ?? null)
    }),
  )
  const needed = neededRights(
    ['shop'],
    ACTIONS.map((action) => `kubernetes.${action}`),
    'argocd',
  )
  for (const { namespace, group, resource, verb } of needed) expect(given).toContain(`${namespace} ${group}/${resource} ${verb}`)
})

test('the version of the chart is that of the product', () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  expect(parse(readFileSync(join(ROOT, 'deploy', 'helm', 'steadyhand', 'Chart.yaml'), 'utf8'))).toMatchObject({
    version,
    appVersion: version,
  })
})
