import { approvalLine, handoverLine } from '../messages/brief.ts'
import { list, note, text } from '../messages/card.ts'
import { bold, code, say } from '../messages/span.ts'
import { deadline } from '../messages/time-words.ts'
import { answer, type Command } from './command.ts'

const SHOWN = 8

export const handover: Command = {
  name: 'handover',
  usage: '',
  summary: 'what the next shift has to know: open incidents, what waits for a click, what is stopped or frozen',
  needs: 'read',
  programs: true,
  async run(_command, context) {
    const { agent, now } = context
    const [open, waiting, stops, freezes] = await Promise.all([
      agent.incidents({ state: 'active', limit: SHOWN + 1 }),
      agent.approvals({ state: 'pending', limit: SHOWN }),
      agent.control.stopped(),
      agent.control.freezes(),
    ])
    const views = (await Promise.all(open.items.slice(0, SHOWN).map(({ id }) => agent.incident(id)))).filter((view) => view !== null)
    const more = open.items.length > SHOWN ? [note(say`There are more; ${code('incidents')} lists them.`)] : []
    return answer(
      text(
        open.items.length === 0
          ? say`${bold('Nothing is open.')} ${waiting.items.length === 0 ? 'Nothing waits for a click.' : ''}`
          : say`${bold('Open now')}: ${views.length}${more.length > 0 ? ' and more' : ''}.`,
      ),
      ...list(
        'Open incidents',
        views.map((view) => handoverLine(view, context)),
      ),
      ...more,
      ...list(
        'Waiting for a click',
        waiting.items.map((approval) => approvalLine(approval, now)),
      ),
      ...list(
        'Stopped',
        stops.map(({ scope, by }) => say`${code(scope)} by ${by}`),
      ),
      ...list(
        'Frozen',
        freezes.map(({ scope, to, reason }) => say`${code(scope)} ${deadline(to, now)}: ${reason}`),
      ),
    )
  },
}
