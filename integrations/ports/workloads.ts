/** A running service as its platform describes it. */
export interface Workload {
  service: string
  environment: string
  uid: string
  version: string
  previousVersion: string | null
  desiredReplicas: number
  readyReplicas: number
  restarts: number
  startedAt: Date | null
  /** Latest platform events, newest first, at most 20: exits, probes failing, scheduling. */
  events: { at: Date; text: string }[]
  /**
   * What keeps it as a repository says, and is doing so at this moment: a line each, what is under way first. Left out where nothing is known to. No
   * part of the events: these tell how the service itself ends.
   */
  keepers?: readonly string[]
}

/** Somebody else's service that is called from here: known by its callers, and no workload of the platform. */
export interface OutsideParty {
  name: string
  owner: string
  /** Where its owner is told. */
  contact: string
}

/** `from` calls `to`. */
export interface Call {
  from: string
  to: string
  /** When it was last seen, where calls are known by being seen. */
  seenAt?: Date
  /** In how many traces, there too; nothing is counted beyond three. */
  traces?: number
}

export interface WorkloadsPort {
  /** Null when the service is unknown to the platform. */
  find(service: string, signal?: AbortSignal): Promise<{ query: string; workload: Workload } | null>
  list(signal?: AbortSignal): Promise<Workload[]>
  /** Who calls whom, from configuration or traces. */
  dependencies(signal?: AbortSignal): Promise<{ query: string; edges: Call[]; outside?: readonly OutsideParty[] }>
}
