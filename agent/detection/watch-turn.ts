/** Something that is looked at every few seconds. */
export interface Watched {
  /** Whether there is anything to look at. */
  isNeeded(): boolean
  round(): Promise<void>
}

/** The right to watch, which one replica has at a time. */
export interface WatchLease {
  acquire(): Promise<{ epoch: number } | null>
  renew(epoch: number): Promise<boolean>
  release(epoch: number): Promise<void>
}

export interface WatchTurn {
  /** Watches, when it is this process's turn. Call it every few seconds. */
  round(): Promise<void>
  /** Lets another process take over at once. */
  end(): Promise<void>
}

/** Of several replicas one watches: whoever holds the lease. Another takes over when it lapses, and learns from the sources' own history. */
export function createWatchTurn({ lease, watches }: { lease: WatchLease; watches: readonly Watched[] }): WatchTurn {
  let epoch: number | null = null
  const isMine = async (): Promise<boolean> => {
    if (epoch !== null && (await lease.renew(epoch))) return true
    epoch = (await lease.acquire())?.epoch ?? null
    return epoch !== null
  }
  return {
    async round() {
      const needed = watches.filter((watch) => watch.isNeeded())
      if (needed.length > 0 && (await isMine())) await Promise.all(needed.map(async (watch) => await watch.round()))
    },
    async end() {
      if (epoch !== null) await lease.release(epoch)
      epoch = null
    },
  }
}
