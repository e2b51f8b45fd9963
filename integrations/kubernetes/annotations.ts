/** The number of a deployment's revision, on the deployment and on the replica set that is that revision. */
export const REVISION = 'deployment.kubernetes.io/revision'
/** Set on a replica set that was used again: the revisions it was before. */
export const REVISION_HISTORY = 'deployment.kubernetes.io/revision-history'
/** Set on a pod template by which all pods are made anew. */
export const RESTARTED_AT = 'kubectl.kubernetes.io/restartedAt'
/** Set on the storage class of claims that name none. */
export const DEFAULT_CLASS = 'storageclass.kubernetes.io/is-default-class'

/** All that are ever read. Others are not kept: whole manifests stand in some, with whatever secrets are in them. */
export const READ_ANNOTATIONS: readonly string[] = [REVISION, REVISION_HISTORY, RESTARTED_AT, DEFAULT_CLASS]
