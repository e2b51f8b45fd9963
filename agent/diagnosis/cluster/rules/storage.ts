import type { ClaimState, ClusterState, PodState, VolumeState } from '../../../../integrations/ports/cluster-state.ts'
import type { FaultClass } from '../../../domain/fault-classes.ts'
import { appOf, type ClusterRule, earliest, eventsOf, livingPods, quotesOf } from '../finding.ts'

/** A claim that no volume fulfils, compared with the volumes there are. */
export const storage: ClusterRule = (state) =>
  (state.claims ?? [])
    .filter(({ phase }) => phase === 'Pending' || phase === 'Lost')
    .flatMap((claim) => {
      const events = eventsOf(state, claim.name)
      const said = events.map(({ message }) => message)
      const judged = judge(claim, said.join('\n'), state)
      const user = userOf(claim, state)
      if (judged === null) return []
      return [
        {
          class: judged.class,
          component: user ? appOf(user) : `volume/${claim.name}`,
          score: judged.score,
          words: `The claim ${claim.name} (PVC) is ${claim.phase}: ${judged.words}.${user ? ` ${user.name} waits for it.` : ''}`,
          quotes: quotesOf(...said),
          since: earliest(...events.map(({ firstAt }) => firstAt)),
        },
      ]
    })

/** The pod that mounts it; where that is not known, one that waits for some claim. */
function userOf(claim: ClaimState, state: ClusterState): PodState | undefined {
  const pods = livingPods(state)
  const mounts = pods.find(({ spec }) => spec?.volumes.some(({ kind, source }) => kind === 'claim' && source === claim.name))
  return mounts ?? pods.find((pod) => eventsOf(state, pod.name).some(({ message }) => /PersistentVolumeClaim/i.test(message)))
}

interface Judged {
  class: FaultClass
  score: number
  words: string
}

function judge(claim: ClaimState, said: string, { storageClasses, volumes }: ClusterState): Judged | null {
  const missing = /storageclass(?:\.storage\.k8s\.io)? "([^"]+)" not found/i.exec(said)
  const known = storageClasses?.some(({ name }) => name === claim.storageClass)
  if (missing || (known === false && claim.storageClass !== null && storageClasses !== null)) {
    const name = missing?.[1] ?? claim.storageClass
    return {
      class: 'pvc_storage_class_mismatch',
      score: 94,
      words: `its storage class "${name}" does not exist, so it is misconfigured and cannot bind`,
    }
  }
  if (/waiting for first consumer/i.test(said)) return null
  const provisioner = storageClasses?.find(({ name }) => name === claim.storageClass)?.provisioner
  const isMadeOnDemand = provisioner !== undefined && !provisioner.endsWith('no-provisioner')
  return volumes === null || (isMadeOnDemand && claim.volume === null) ? null : compare(claim, volumes)
}

function compare(claim: ClaimState, volumes: readonly VolumeState[]): Judged | null {
  const named = volumes.find(({ name }) => name === claim.volume)
  if (named?.claim != null && !named.claim.endsWith(`/${claim.name}`))
    return { class: 'pv_binding_occupied', score: 92, words: `the volume ${named.name} that it asks for is held by ${named.claim}` }
  const ofClass = volumes.filter(({ storageClass }) => storageClass === claim.storageClass)
  if (ofClass.length === 0) return { class: 'pvc_storage_class_mismatch', score: 80, words: 'no volume has its storage class' }
  const labelled = ofClass.filter(({ labels }) => Object.entries(claim.selector).every(([key, value]) => labels[key] === value))
  if (labelled.length === 0) return { class: 'pvc_selector_mismatch', score: 90, words: 'no volume has the labels that it selects' }
  const modes = labelled.filter(({ accessModes }) => claim.accessModes.every((mode) => accessModes.includes(mode)))
  if (modes.length === 0) return { class: 'pvc_access_mode_mismatch', score: 90, words: `no volume offers ${claim.accessModes.join(', ')}` }
  const large = modes.filter(({ capacity }) => capacity === null || claim.requested === null || capacity >= claim.requested)
  if (large.length === 0) return { class: 'pvc_capacity_mismatch', score: 90, words: 'every volume that would fit is too small' }
  return large.every(({ phase }) => phase !== 'Available')
    ? { class: 'pv_binding_occupied', score: 84, words: 'every volume that would fit is taken' }
    : null
}
