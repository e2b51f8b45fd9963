import fc from 'fast-check'
import type { IncidentView } from '../../agent/agent.ts'
import { incidentCard } from '../../bot/messages/incident-card.ts'
import { renderBlocks } from '../../bot/slack/render.ts'
import { readLiveParts } from '../../test/support/block-kit-reader.ts'
import { at, incidentsInEveryState } from '../../test/support/builders.ts'
import { hostileText, MARK, replaceStrings } from '../../test/support/hostile-text.ts'
import { problemsOfBlocks, visibleLength } from '../../test/support/slack/validate.ts'
import type { Figure } from '../report.ts'

const INCIDENTS = 5_000
const SEED = 1
const LONGEST = 3_000
const PROMISED_CHARACTERS = 12_000
const CONSOLE = 'https://steadyhand.example'
/** Words of closed lists and our own ids: everything else in a view may come from outside. */
const CLOSED = /\.(state|status|level|comparator|trust|kind|class|name|rank|confidence|decision|requestState|label|seq|startsAt)$/

/** Generated incidents whose every text from outside tries to be a link, a mention, a button or markup. */
export async function measureHostileIncidents(): Promise<Figure[]> {
  const views = Object.values(incidentsInEveryState())
  const texts = fc.sample(fc.array(hostileText(LONGEST), { minLength: 5, maxLength: 12 }), { numRuns: INCIDENTS, seed: SEED })
  let [invalid, live] = [0, 0]
  for (const [index, words] of texts.entries()) {
    const view = views[index % views.length]
    if (view === undefined) throw new Error('there is no incident')
    const message = renderBlocks(incidentCard(hostile(view, words), { now: at(30), consoleUrl: CONSOLE }))
    const { links, mentions, emoji } = readLiveParts(message)
    if (problemsOfBlocks(message.blocks).length > 0 || visibleLength(message.blocks) > PROMISED_CHARACTERS || message.text === '')
      invalid += 1
    live += links.filter((link) => !link.startsWith(`${CONSOLE}/`)).length + mentions.length + emoji.length
  }
  return [
    { name: 'invalid payloads of hostile incidents', value: invalid, unit: '', n: INCIDENTS },
    { name: 'live links, mentions and emoji that are not ours', value: live, unit: '', n: INCIDENTS },
  ]
}

function hostile(view: IncidentView, words: readonly string[]): IncidentView {
  let next = 0
  const take = (): string => words[next++ % words.length] ?? MARK
  return replaceStrings(view, (path, text) => {
    const ours = path.startsWith('.approvals') || (CLOSED.test(path) && !path.endsWith('alerts.0.name'))
    return ours ? text : take().slice(0, /[iI]d$/.test(path) ? 100 : LONGEST)
  })
}
