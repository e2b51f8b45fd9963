/** Something that is looked at every few seconds. */
export interface Watched {
  /** Whether there is anything to look at. */
  isNeeded(): boolean
  /** Ends soon, and raises nothing more, once the signal fires. */
  round(signal: AbortSignal): Promise<void>
}

/** The right to watch, which one replica has at a time. */
export interface WatchLease {
  acquire(): Promise<{ epoch: number } | null>
  renew(epoch: number): Promise<boolean>
  release(epoch: number): Promise<void>
}

export interface WatchTurn {
  /** Watches, when it is this process's turn. Call it every few seconds. Does nothing after `end`. */
  round(): Promise<void>
  /** Ends what is under way, and lets another process take over at once. */
  end(): Promise<void>
}

/** How long a round may take to notice that it is to end. */
const END_WAIT_MS = 3_000

/** Of several replicas one watches: whoever holds the lease. Another takes over when it lapses, and learns from the sources' own history. */
export function createWatchTurn({ lease, watches }: { lease: WatchLease; watches: readonly Watched[] }): WatchTurn {
  const ending = new AbortController()
  const { signal } = ending
  const under = new Set<Promise<void>>()
  let epoch: number | null = null
  const isMine = async (): Promise<boolean> => {
    if (epoch !== null && (await lease.renew(epoch))) return true
    epoch = (await lease.acquire())?.epoch ?? null
    return epoch !== null
  }
  const look = async (): Promise<void> => {
    const needed = watches.filter((watch) => watch.isNeeded())
    if (needed.length === 0 || !(await isMine()) || signal.aborted) return
    await Promise.all(needed.map(async (watch) => await watch.round(signal)))
  }
  return {
    async round() {
      if (signal.aborted) return
      const round = look()
      under.add(round)
      await round.finally(() => under.delete(round))
    },
    async end() {
      ending.abort(new Error('the process is stopping'))
      // One that is only just asking for the lease is waited for too: what it is given is released below.
      await settledWithin(under, END_WAIT_MS)
      if (epoch !== null) await lease.release(epoch)
      epoch = null
    },
  }
}

async function settledWithin(all: Iterable<Promise<void>>, milliseconds: number): Promise<void> {
  const over = Promise.withResolvers<void>()
  const timer = setTimeout(over.resolve, milliseconds)
  await Promise.race([Promise.allSettled(all), over.promise])
  clearTimeout(timer)
}
