import { expect, test } from 'vitest'
import { ownerWords } from '../../../integrations/kubernetes/actions/owner-words.ts'

const NOW = new Date('2026-03-01T10:42:00Z')
const LONG_AGO = '2026-02-01T10:00:00Z'
const ARGO = { 'argocd.argoproj.io/tracking-id': 'shop:apps/Deployment:shop/payments' }

/** What a controller that applied replicas, an image and one variable is said to manage, as the API server writes it. */
const FIELDS = {
  'f:metadata': { 'f:annotations': { 'f:argocd.argoproj.io/tracking-id': {} } },
  'f:spec': {
    'f:replicas': {},
    'f:template': {
      'f:spec': { 'f:containers': { 'k:{"name":"app"}': { '.': {}, 'f:name': {}, 'f:image': {}, 'f:args': {} } } },
    },
  },
}
const RESTARTED = 'kubectl.kubernetes.io/restartedAt'
const spec = { replicas: 3, paused: false, template: templateOf('v42') }

function templateOf(image: string, more: { args?: string[]; memory?: string; restarted?: string; sidecar?: string } = {}): object {
  const limits = { memory: more.memory ?? '256Mi' }
  const app = { name: 'app', image, args: more.args ?? ['serve'], resources: { limits } }
  const containers = more.sidecar === undefined ? [app] : [app, { name: 'proxy', image: more.sidecar }]
  return { metadata: { annotations: more.restarted === undefined ? {} : { [RESTARTED]: more.restarted } }, spec: { containers } }
}

function wordsFor(
  changed: object,
  said: { annotations?: object; manager?: string; time?: string; fields?: unknown; subresource?: string } = {},
): string {
  const { annotations = ARGO, manager = 'argocd-controller', time = LONG_AGO, fields = FIELDS, subresource = '' } = said
  const managedFields = [{ manager, operation: 'Apply', time, subresource, fieldsV1: fields }]
  const metadata = { labels: null, annotations, managedFields }
  return ownerWords({ metadata, spec }, { metadata, spec: { ...spec, ...changed } }, NOW)
}

const SET_BACK = '; Argo CD (application shop) sets this back: change its repository, or pause its sync first'
const LEFT = '; Argo CD (application shop) owns it and leaves this as it is'

test.each([
  ['another number of replicas, which it set', { replicas: 4 }, SET_BACK],
  ['another image, which it set', { template: templateOf('v41') }, SET_BACK],
  ['other arguments, which are managed as a whole', { template: templateOf('v42', { args: ['serve', '--fast'] }) }, SET_BACK],
  ['another limit, which it did not set', { template: templateOf('v42', { memory: '512Mi' }) }, LEFT],
  ['a container that somebody else put in', { template: templateOf('v42', { sidecar: 'proxy:1' }) }, LEFT],
  ['a restart', { template: templateOf('v42', { restarted: '2026-03-01T10:42:00Z' }) }, LEFT],
  ['a pause, which it did not set', { paused: true }, LEFT],
  ['nothing of the object itself', {}, LEFT],
])('what becomes of %s', (_, changed, words) => {
  expect(wordsFor(changed)).toBe(words)
})

test.each([
  [
    'a kustomization of Flux',
    { 'kustomize.toolkit.fluxcd.io/name': 'apps' },
    'kustomize-controller',
    '; Flux (kustomization apps) sets this back',
  ],
  ['a release of Flux', { 'helm.toolkit.fluxcd.io/name': 'shop' }, 'helm-controller', '; Flux (release shop) sets this back'],
  [
    'an instance of Argo CD',
    { 'argocd.argoproj.io/instance': 'shop' },
    'argocd-application-controller',
    '; Argo CD (application shop) sets this back',
  ],
])('%s is known by its mark', (_, annotations, manager, words) => {
  expect(wordsFor({ replicas: 4 }, { annotations, manager })).toContain(words)
})

test.each([
  ['somebody else wrote all of it', { manager: 'kubectl-client-side-apply' }],
  ['it wrote the status only', { subresource: 'status' }],
])('where %s, nobody can tell, and the worse is said', (_, said) => {
  expect(wordsFor({ paused: true }, said)).toContain('Argo CD (application shop) owns it and puts it back to what its repository says')
})

test('a field that somebody took over from its keeper may be put back: the worse is said', () => {
  const { 'f:replicas': _, ...rest } = FIELDS['f:spec']
  const by = (manager: string, fieldsV1: unknown, subresource = '') => ({
    manager,
    operation: 'Update',
    time: LONG_AGO,
    subresource,
    fieldsV1,
  })
  const managedFields = [by('argocd-controller', { 'f:spec': rest }), by('kubectl', { 'f:spec': { 'f:replicas': {} } }, 'scale')]
  const metadata = { annotations: ARGO, managedFields }
  const words = (changed: object) => ownerWords({ metadata, spec }, { metadata, spec: { ...spec, ...changed } }, NOW)
  expect(words({ replicas: 4 })).toContain('puts it back to what its repository says')
  expect(words({ paused: true })).toBe(LEFT)
})

test('a sync of a moment ago is told, and a manager that is none is not', () => {
  expect(wordsFor({ replicas: 4 }, { time: '2026-03-01T10:40:00Z' })).toBe(
    `${SET_BACK}; argocd-controller changed it in the last 10 minutes`,
  )
  expect(wordsFor({ replicas: 4 }, { annotations: {}, manager: 'kustomize-controller' })).toBe('')
})

test.each([null, 'all', 7, [], { 'f:spec': 'x' }, { 'f:spec': { 'f:replicas': null } }])(
  'fields %j cost nothing but certainty',
  (fields) => {
    expect(wordsFor({ replicas: 4 }, { fields })).toMatch(/Argo CD \(application shop\)/)
  },
)

test('what an object says of itself stays short', () => {
  expect(wordsFor({ replicas: 4 }, { annotations: { 'argocd.argoproj.io/instance': 'x'.repeat(5_000) } }).length).toBeLessThan(160)
  expect(ownerWords({ metadata: 7 }, {}, NOW)).toBe('')
})
