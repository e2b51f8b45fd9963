import type { ClusterStatePort } from '../ports/cluster-state.ts'
import { readAnswers } from './answers.ts'
import { readState } from './read-state.ts'

/**
 * A frozen cluster: what read-only tools once answered, through the same port as a live one.
 * @param jsonl one answer a line: `{"tool":"get","args":{"kind":"pods"},"text":"NAME …"}`
 * @param at the moment it was recorded; ages are told from there
 */
export function createRecording(jsonl: string, at: Date): Pick<ClusterStatePort, 'read'> & { dropped: number } {
  const { answers, dropped } = readAnswers(jsonl)
  return { dropped, read: ({ namespace }) => Promise.resolve(readState(answers, { namespace, at })) }
}
