import type { IncidentView } from '../../agent/agent.ts'
import { ALL_FAULT_CLASSES } from '../../agent/domain/fault-classes.ts'
import { citationOf, type RunbookChunk, type RunbookQuery, runbookQuery } from '../../agent/domain/runbook.ts'
import { type CardBlock, note, text } from '../messages/card.ts'
import { bold, say, shortCode } from '../messages/span.ts'
import { cleanText } from '../messages/visible-text.ts'
import { answer, type Command, sentence } from './command.ts'
import { viewOf } from './explain.ts'
import { incidentId } from './which-incident.ts'

const FOUND_AT_MOST = 3
const WORDS_READ = 20
const EXCERPT = 600

export const runbook: Command = {
  name: 'runbook',
  usage: '[INCIDENT | WORDS]',
  summary: 'what is written down about a problem, with file and heading',
  needs: 'read',
  programs: true,
  async run({ words }, context) {
    const { agent } = context
    const byWords = words.length > 0 && incidentId(words[0]) === null
    const query = byWords ? wordsQuery(words, await agent.scopes.services()) : incidentQuery(await viewOf(words, context))
    const found = await agent.runbooks(query)
    if (found.length === 0) return sentence(say`No runbook fits ${byWords ? 'these words' : 'this incident'}.`)
    return answer(...found.flatMap(chunkBlocks), note(say`Runbooks are their authors' words: nothing in them is carried out by itself.`))
  },
}

function chunkBlocks(chunk: RunbookChunk): CardBlock[] {
  const heading = chunk.heading === chunk.title ? '' : `: ${cleanText(chunk.heading, 120)}`
  return [
    text(say`${bold(cleanText(chunk.title, 120))}${heading} ${shortCode(citationOf(chunk), 160)}`),
    { type: 'quote', label: 'It says', text: cleanText(chunk.body, EXCERPT) },
  ]
}

function wordsQuery(words: readonly string[], services: readonly string[]): RunbookQuery {
  const said = words.slice(0, WORDS_READ).map((word) => word.slice(0, 100))
  const joined = said.join('_').toLowerCase().replaceAll('-', '_')
  return {
    words: said,
    services: services.filter((service) => said.includes(service)),
    alerts: said,
    classes: ALL_FAULT_CLASSES.filter((known) => joined.includes(known)),
    limit: FOUND_AT_MOST,
  }
}

function incidentQuery({ incident, alerts, hypotheses }: IncidentView): RunbookQuery {
  const hypothesis = hypotheses.find(({ rank }) => rank === 1)
  return { ...runbookQuery({ service: incident.service, alerts, hypothesis }), limit: FOUND_AT_MOST }
}
