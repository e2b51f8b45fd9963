import type { Break } from './broken.ts'
import type { Counts } from './oracle.ts'

/** Where one worker does its work. */
export interface WorkerPlace {
  dataDir: string
  databaseUrl: string | null
  /** Folder of the effect journal. */
  journalDir: string
  cloudUrl: string
  ledger: string
  acks: string
}

export type Order =
  | { order: 'open'; place: WorkerPlace; broken: Break | null }
  /** Ends what is under way, and has everything judged; with `proof` by the product's own checkers too. */
  | { order: 'settle'; proof: boolean }
  /** Works until it is killed. */
  | { order: 'load'; seed: number }
  /** Carries out plans of one kind until the armed point is reached: 'C11:2'. */
  | { order: 'reach'; kind: string; armed: string; useless: boolean }
  /** Looks for work this often, beside the product's own tick. */
  | { order: 'watch'; everyMs: number }
  /** The process stops, as by SIGSTOP, at the armed point. */
  | { order: 'stop-at'; armed: string }
  /** Another process has put the clock on. */
  | { order: 'clock'; offset: number }

export type Said =
  | { said: 'loaded' }
  | { said: 'open' }
  | { said: 'settled'; violations: string[]; counts: Counts; complaints: string[] }
  | { said: 'working' }
  | { said: 'obeyed' }
  | { said: 'not-reached' }
  | { said: 'failed'; words: string }
