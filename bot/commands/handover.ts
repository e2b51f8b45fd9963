import type { IncidentView } from '../../agent/agent.ts'
import { ENDED_STATES, type Incident } from '../../agent/domain/incident.ts'
import { approvalLine, endedLine, handoverLine, incidentLine } from '../messages/brief.ts'
import { list, note, text } from '../messages/card.ts'
import { scopeWords } from '../messages/scope-words.ts'
import { bold, code, type Span, say } from '../messages/span.ts'
import { deadline, durationWords } from '../messages/time-words.ts'
import { answer, type Command, type CommandContext } from './command.ts'
import { cutList, gravestOpen, waitingForClick } from './what-is-open.ts'

const SHOWN = 8
const ENDED_READ = 50
const SHIFT_SECONDS = 12 * 3_600

/** What ended within the last shift, the gravest first; what became a part of another incident is told there. */
async function endedLately({ agent, now }: CommandContext): Promise<{ shown: IncidentView[]; more: number }> {
  const since = now.getTime() - SHIFT_SECONDS * 1_000
  const pages = await Promise.all(ENDED_STATES.map(async (state) => (await agent.incidents({ state, limit: ENDED_READ })).items))
  const lately = pages
    .flat()
    .filter(({ endedAt }) => endedAt !== null && endedAt.getTime() >= since)
    .toSorted((a, b) => a.severity - b.severity || (b.endedAt?.getTime() ?? 0) - (a.endedAt?.getTime() ?? 0))
  const views = await Promise.all(lately.slice(0, 2 * SHOWN).map(async ({ id }) => await agent.incident(id)))
  const whole = views.filter((view) => view !== null).filter(({ relations }) => relations.mergedInto === null)
  const shown = whole.slice(0, SHOWN)
  return { shown, more: whole.length - shown.length + Math.max(0, lately.length - views.length) }
}

/** With what is known of it; one that could not be read a moment later stands there all the same. */
function openLine(incident: Incident, views: readonly IncidentView[], context: CommandContext): Span[] {
  const view = views.find((each) => each.incident.id === incident.id)
  return view ? handoverLine(view, context) : incidentLine(incident, context)
}

export const handover: Command = {
  name: 'handover',
  usage: '',
  summary: 'what the next shift has to know: open incidents, what waits for a click, what is stopped or frozen, what ended lately',
  needs: 'read',
  programs: true,
  async run(_command, context) {
    const { agent, now } = context
    const [open, waiting, stops, freezes, ended] = await Promise.all([
      gravestOpen(context),
      waitingForClick(context),
      agent.control.stopped(),
      agent.control.freezes(),
      endedLately(context),
    ])
    const views = (await Promise.all(open.items.slice(0, SHOWN).map(({ id }) => agent.incident(id)))).filter((view) => view !== null)
    return answer(
      text(
        open.items.length === 0
          ? say`${bold('Nothing is open.')} ${waiting.items.length === 0 ? 'Nothing waits for a click.' : ''}`
          : say`${bold('Open now')}: ${open.items.length}${open.isWhole ? '' : ' and more'}.`,
      ),
      ...cutList('Open incidents, the gravest first', open, {
        shown: SHOWN,
        line: (incident) => openLine(incident, views, context),
        all: 'incidents',
      }),
      ...list(
        `Ended in the last ${durationWords(SHIFT_SECONDS)}, the gravest first`,
        ended.shown.map((view) => endedLine(view, context)),
      ),
      ...(ended.more > 0 ? [note(say`${ended.more} more ended; ${code('incidents all')} lists them.`)] : []),
      ...cutList('Waiting for a click', waiting, { shown: SHOWN, line: (approval) => approvalLine(approval, now), all: 'approvals' }),
      ...list(
        'Stopped',
        stops.map(({ scope, by }) => say`${code(scopeWords(scope))} by ${by}`),
      ),
      ...list(
        'Frozen',
        freezes.map(({ scope, to, reason }) => say`${code(scopeWords(scope))} ${deadline(to, now)}: ${reason}`),
      ),
    )
  },
}
