import type { Unread } from './unread.ts'

/** Something somebody (or something) changed: what incidents are correlated with. */
export interface Change {
  id: string
  at: Date
  kind: 'release' | 'rollback' | 'scale' | 'restart' | 'config' | 'flag' | 'other'
  service: string
  environment: string
  /** One plain sentence: "payments went from v41 to v42". */
  summary: string
  by: string | null
  from: string | null
  to: string | null
  link: string | null
}

export interface ChangesPort {
  list(query: {
    services: readonly string[] | 'all'
    from: Date
    to: Date
    signal?: AbortSignal
  }): Promise<{ query: string; changes: Change[]; unread?: Unread }>
}
