import { z } from 'zod'
import type { CloudRow } from './row.ts'

export const HOST_ROWS: readonly CloudRow[] = [
  {
    definition: {
      kind: 'certificate.renew',
      parameters: z.strictObject({}),
      reversibility: 'compensable',
      risk: 'caution',
      minNeeded: 1,
      stepUp: 'none',
      retry: 'token',
      probeHorizonSeconds: 300,
      maxTtlSeconds: 900,
    },
    pinned: ['serial', 'notAfter'],
    wanted: () => ({}),
    change: ({ serial }) => ({ field: 'serial', from: serial ?? null, to: 'a new certificate' }),
    guard: ({ serial }) => ({ serial: serial ?? null }),
    tagged: false,
    isApplied: ({ serial }, { preconditions }) => serial !== (preconditions[0]?.equals ?? null),
    undo: null,
  },
  {
    definition: {
      kind: 'disk.clean-up',
      parameters: z.strictObject({ inodes: z.string() }),
      reversibility: 'irreversible',
      risk: 'caution',
      minNeeded: 2,
      stepUp: 'typed',
      retry: 'never',
      probeHorizonSeconds: 10,
      maxTtlSeconds: 600,
    },
    pinned: ['inodes'],
    wanted: ({ inodes }) => ({ inodes: inodes ?? null }),
    change: ({ inodes }) => ({ field: 'inodes', from: inodes ?? null, to: 'deleted' }),
    guard: () => ({}),
    tagged: false,
    isApplied: ({ inodes }, { parameters }) => inodes !== parameters['inodes'],
    undo: null,
  },
]
