import { readFileSync } from 'node:fs'
import { LineCounter, parseDocument } from 'yaml'
import { yamlProblem } from './config/yaml-problems.ts'

/** The policy as it was read, or why it could not be: one sentence. */
export type PolicySource = { text: string; value: unknown } | { problem: string }

/** Reads the policy: the file, or the built-in text when none is configured. Never throws: without a policy the process observes, and says so. */
export function readPolicySource(path: string | null, builtIn: string): PolicySource {
  const source = path === null ? { text: builtIn } : readText(path)
  if ('problem' in source) return source
  const lines = new LineCounter()
  const document = parseDocument(source.text, { lineCounter: lines, prettyErrors: false })
  const [broken] = document.errors
  if (broken) {
    const { line, words } = yamlProblem(broken, lines)
    return { problem: `the policy file ${path ?? ''}:${line} is not YAML: ${words}` }
  }
  try {
    return { text: source.text, value: document.toJS({ maxAliasCount: 20 }) }
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error
    return { problem: `the policy file ${path ?? ''} is not YAML: ${error.message.split('\n')[0]}` }
  }
}

function readText(path: string): { text: string } | { problem: string } {
  try {
    return { text: readFileSync(path, 'utf8') }
  } catch (error) {
    return { problem: `the policy file ${path} cannot be read (${error instanceof Error ? error.message : String(error)})` }
  }
}
