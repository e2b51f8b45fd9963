import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createFakeTarget, type FakeTarget } from '../fake-target.ts'

type Shared = Pick<FakeTarget, 'ledger'> & { version: string }

/** A working target that several processes share through a file: its version, and every effect that really happened. */
export function createSharedTarget(path: string, now: () => Date): FakeTarget {
  const target = createFakeTarget(now)
  const change = (next: Shared): void => {
    writeFileSync(`${path}.next`, JSON.stringify(next))
    renameSync(`${path}.next`, path)
  }
  Object.defineProperty(target.state, 'version', {
    get: () => readShared(path).version,
    set: (version: string) => change({ ...readShared(path), version }),
  })
  target.ledger.push = (...entries) => {
    const before = readShared(path)
    change({ ...before, ledger: [...before.ledger, ...entries] })
    return entries.length
  }
  return target
}

export function createSharedState(path: string): void {
  writeFileSync(path, JSON.stringify({ version: 'v2', ledger: [] } satisfies Shared))
}

export function readShared(path: string): Shared {
  return JSON.parse(readFileSync(path, 'utf8'))
}
