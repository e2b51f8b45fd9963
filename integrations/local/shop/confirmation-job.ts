import { parentPort } from 'node:worker_threads'

/** One batch to confirm. `hangs`: the lock of the outbox is held by nobody who would ever release it. */
export interface Batch {
  orders: readonly string[]
  hangs: boolean
}

/** What the outbox takes for a batch, milliseconds. */
const SENDING_MS = 20

const lock = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
parentPort?.on('message', ({ orders, hangs }: Batch) => {
  Atomics.wait(lock, 0, 0, hangs ? Number.POSITIVE_INFINITY : SENDING_MS)
  parentPort?.postMessage(orders.length)
})
