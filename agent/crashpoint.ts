/**
 * The moments at which a crash matters, by the names the fault matrix gives them. In production nothing is armed and a call does nothing; the
 * fault harness arms one, and the process dies there as by `kill -9`.
 */
export const CRASHPOINTS = [
  'C2',
  'C3',
  'C4',
  'C6',
  'C7',
  'C8',
  'C9',
  'C10',
  'C11',
  'C12',
  'C13',
  'C14',
  'C16',
  'C17',
  'C19',
  'C20',
] as const
export type CrashpointName = (typeof CRASHPOINTS)[number]

export type Crashpoint = (name: CrashpointName) => void

/** `armed` is 'NAME:VISIT', the visit counted from 1: 'C11:2'. Null arms nothing. */
export function createCrashpoint(armed: string | null, die: () => void): Crashpoint {
  if (armed === null) return () => {}
  const [name, visit = '1'] = armed.split(':')
  let visits = 0
  return (reached) => {
    if (reached !== name) return
    visits += 1
    if (visits === Number(visit)) die()
  }
}
