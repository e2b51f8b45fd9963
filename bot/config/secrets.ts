import { nearest } from '../../agent/domain/nearest.ts'

/** Environment variables, as a process has them. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What a variable is for. `secret`: it may also be given by a file, with NAME_FILE. `key`: what it stands for in the settings file. */
export type VariableWords = Readonly<Record<string, { words: string; secret?: true; key?: string }>>

export interface EnvironmentReader {
  /** A variable's value without white space around it; undefined when it is not set. One of ours that is set but blank is a problem. */
  text(name: string): string | undefined
  /** Like `text`, and also from the file that `NAME_FILE` names. Setting both is a problem. */
  secret(name: string): string | undefined
  /** The content of a file that a setting names; `setting` is what problems call it. */
  secretIn(setting: string, path: string): string | undefined
  /** Sentences for people about what could not be used. */
  problems: string[]
  /** The files that secrets were read from so far. */
  files: string[]
  /** Names with this beginning that are set and that nobody asked for so far, each with the known one that it looks like after the beginning. */
  unknown(beginning: string): { name: string; meant: string | null }[]
}

/** Kubernetes tells every container of the services around it, by variables that begin with their names. */
const OF_A_SERVICE = /_(SERVICE_(HOST|PORT)|PORT_\d)/

/**
 * Reads variables and secret files; what is wrong is collected, so that a person sees all of it at once. A variable that other tools read too may
 * be blank, which is how some of them unset it; `isOurs` says of which ones a blank is a slip.
 */
export function createEnvironmentReader(
  environment: Environment,
  readFile: (path: string) => string,
  isOurs: (name: string) => boolean,
): EnvironmentReader {
  const problems: string[] = []
  const files: string[] = []
  const asked = new Set<string>()
  const text = (name: string): string | undefined => {
    asked.add(name)
    const value = environment[name]
    if (value === undefined) return undefined
    if (value.trim() === '' && isOurs(name)) problems.push(`${name} is set but blank: give it a value or unset it.`)
    return value.trim() || undefined
  }
  const secretIn = (name: string, path: string): string | undefined => {
    files.push(path)
    try {
      const value = readFile(path).trim()
      if (value === '') problems.push(`${name} names ${path}, which is empty.`)
      return value || undefined
    } catch (error) {
      problems.push(`${name} names ${path}, which cannot be read (${error instanceof Error ? error.message : String(error)}).`)
      return undefined
    }
  }
  const fromFile = (name: string): string | undefined => {
    const path = text(name)
    return path === undefined ? undefined : secretIn(name, path)
  }
  return {
    problems,
    files,
    unknown(beginning) {
      const known = [...asked].filter((name) => name.startsWith(beginning))
      const names = Object.keys(environment).filter((name) => name.startsWith(beginning) && !asked.has(name) && !OF_A_SERVICE.test(name))
      const rest = (name: string): string => name.slice(beginning.length)
      return names.sort().map((name) => {
        const meant = nearest(rest(name), known.map(rest))
        return { name, meant: meant === null ? null : `${beginning}${meant}` }
      })
    },
    text,
    secretIn,
    secret(name) {
      const direct = text(name)
      const file = fromFile(`${name}_FILE`)
      if (direct !== undefined && file !== undefined) problems.push(`Both ${name} and ${name}_FILE are set: keep one of them.`)
      return direct ?? file
    },
  }
}
