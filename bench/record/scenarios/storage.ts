import type { Fault, Scenarios, Target } from '../scenario.ts'
import { crashed, victims } from './start.ts'

interface Claim {
  storageClassName?: string
  accessModes?: string[]
  size?: string
  selector?: Record<string, string>
  volumeName?: string
}

interface Volume {
  apiVersion: string
  kind: string
  metadata: { name: string; labels: object }
  spec: object
}

/** Volumes belong to the cluster, so systems must not share names. */
const named = ({ system }: Target, name: string): string => `${system.id}-${name}`

const volume = (name: string, more: { size?: string; modes?: string[]; labels?: object; claimRef?: object } = {}): Volume => ({
  apiVersion: 'v1',
  kind: 'PersistentVolume',
  metadata: { name, labels: more.labels ?? {} },
  spec: {
    capacity: { storage: more.size ?? '10Gi' },
    accessModes: more.modes ?? ['ReadWriteOnce'],
    persistentVolumeReclaimPolicy: 'Retain',
    storageClassName: 'manual',
    ...(more.claimRef ? { claimRef: more.claimRef } : {}),
    hostPath: { path: `/srv/${name}` },
  },
})
const claim = (
  name: string,
  { storageClassName = 'manual', accessModes = ['ReadWriteOnce'], size = '5Gi', selector, volumeName }: Claim,
): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: {
    storageClassName,
    accessModes,
    resources: { requests: { storage: size } },
    ...(selector ? { selector: { matchLabels: selector } } : {}),
    ...(volumeName ? { volumeName } : {}),
  },
})
const STORAGE_CLASS = {
  apiVersion: 'storage.k8s.io/v1',
  kind: 'StorageClass',
  metadata: { name: 'manual' },
  provisioner: 'kubernetes.io/no-provisioner',
  volumeBindingMode: 'Immediate',
}
const FULL = [
  'write /var/log/app/events.log: no space left on device',
  'java.io.IOException: No space left on device',
  'Error: ENOSPC: no space left on device, write',
]

export const storageScenarios: Scenarios = {
  pvc_storage_class_mismatch: (target) =>
    unbound(target, { storageClassName: target.pick(['fast-ssd', 'gp4', 'premium-rwo']) }, [volume('vol-a'), volume('vol-b')]),
  pvc_access_mode_mismatch: (target) =>
    unbound(target, { accessModes: [target.pick(['ReadWriteMany', 'ReadOnlyMany', 'ReadWriteOncePod'])] }, [
      volume('vol-a'),
      volume('vol-b', { size: '20Gi' }),
    ]),
  pvc_capacity_mismatch: (target) =>
    unbound(target, { size: target.pick(['50Gi', '200Gi', '11Gi']) }, [volume('vol-a'), volume('vol-b', { size: '8Gi' })]),
  pvc_selector_mismatch: (target) =>
    unbound(target, { selector: target.pick([{ use: 'index' }, { tier: 'gold', use: 'data' }, { zone: 'b' }]) }, [
      volume('vol-a', { labels: { use: 'backup', tier: 'gold' } }),
      volume('vol-b', { labels: { zone: 'a' } }),
    ]),
  pv_binding_occupied: (target) => {
    const claimRef = { namespace: target.system.namespace, name: 'archive' }
    const volumes = [volume('vol-a', { claimRef }), ...(target.variant === 0 ? [] : [volume('vol-b', { size: '1Gi' })])]
    // Where nobody has that claim any more the volume is released, and still not free.
    const first = target.variant === 2 ? [] : [claim('archive', { volumeName: named(target, 'vol-a') })]
    return unbound(target, { volumeName: named(target, 'vol-a') }, volumes, first)
  },
  disk_full: (target) =>
    crashed(
      target,
      target.pick([
        'write /data/segments/0091.seg: no space left on device',
        'java.io.IOException: /var/lib/stay/store.db: No space left on device',
        "Error: ENOSPC: no space left on device, write '/data/media/81.bin'",
      ]),
      {},
    ),
  inode_exhausted: (target) =>
    crashed(
      target,
      target.pick([
        'mkdir /data/tmp/9f31: no space left on device (no free inodes)',
        'java.io.IOException: cannot create /data/in/77: out of inodes',
        'Error: cannot write /data/media/82.bin: inodes in use 100 %',
      ]),
      {},
    ),
  log_volume_full: (target) => crashed(target, target.pick([FULL[0] ?? '', FULL[1] ?? '', FULL[2] ?? '']), {}),
}

/** @param first claims that are there before and take what they can */
function unbound(target: Target, own: Claim, volumes: readonly Volume[], first: readonly object[] = []): Fault {
  const { app, system } = target
  const name = target.pick([`${app.name}-data`, 'index-files', `${app.name}-store`])
  return {
    component: `app/${app.name}`,
    question: target.pick([`${app.name} is pending.`, `Errors in ${system.id}. What is it?`, 'Why does a pod not start?']),
    objects: [
      STORAGE_CLASS,
      ...volumes.map((each) => ({ ...each, metadata: { ...each.metadata, name: named(target, each.metadata.name) } })),
      ...first,
      claim(name, own),
    ],
    changes: {
      [app.name]: {
        replicas: 1,
        pod: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: name } }] },
        container: { volumeMounts: [{ name: 'data', mountPath: '/data' }] },
      },
    },
    ask: ['pvc', 'pv', 'storageclass'],
    logs: victims(target, 'connection refused'),
  }
}
