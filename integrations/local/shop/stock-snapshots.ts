import { getHeapStatistics } from 'node:v8'
import type { Leak } from './messages.ts'

interface StockLine {
  sku: string
  onHand: number
}
type Snapshot = StockLine[]

const REFRESH_MS = 100
/** Lines of one snapshot while all is well, and the further ones (old batches) that are dragged along once the sweep has stopped. */
const LINES = 100
const BATCH_LINES = 6_000
/** The leak goes on until this part of the heap's limit is used, and no further: it makes the process suffer, not die. */
const PLATEAU = 0.91

export interface StockSnapshots {
  /** The stock of a thing, smoothed over the snapshots that are kept: the more of them, the longer it takes. */
  onHand(sku: string): number
  /** From here on no snapshot is swept any more. */
  leak(how: Leak | null): void
}

/** Snapshots of the warehouse's stock. Only the latest few are kept, unless the sweep has stopped: then each refresh adds to the heap. */
export function createStockSnapshots(heapLimitBytes: number): StockSnapshots {
  let kept: Snapshot[] = [takeSnapshot(LINES)]
  let leaking = false
  const used = (): number => getHeapStatistics().used_heap_size / heapLimitBytes
  const keepBatch = (): void => {
    if (used() < PLATEAU) kept.push(takeSnapshot(BATCH_LINES))
  }
  const refresh = (): void => {
    if (leaking) keepBatch()
    else kept = [takeSnapshot(LINES)]
  }
  setInterval(refresh, REFRESH_MS)
  return {
    onHand: (sku) => kept.reduce((sum, snapshot) => sum + (snapshot.findLast((line) => line.sku === sku)?.onHand ?? 0), 0) / kept.length,
    leak(how) {
      leaking = how !== null
      while (how === 'full' && used() < PLATEAU) keepBatch()
    },
  }
}

function takeSnapshot(lines: number): Snapshot {
  return Array.from({ length: lines }, (_, line) => ({ sku: `sku-${line}`, onHand: 1_000 + line }))
}
