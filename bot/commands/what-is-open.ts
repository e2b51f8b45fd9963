import type { Approval } from '../../agent/domain/approval.ts'
import type { Incident } from '../../agent/domain/incident.ts'
import { type CardBlock, list } from '../messages/card.ts'
import { code, type Span, say } from '../messages/span.ts'
import type { CommandContext } from './command.ts'

/** So many are read and put in order; of more than these nobody says how many they are. */
const READ = 200

/** What was read, in order, and whether that is all there is. */
export interface Ordered<Item> {
  items: readonly Item[]
  isWhole: boolean
}

/** Open incidents, the gravest first and of those the oldest. */
export async function gravestOpen({ agent }: Pick<CommandContext, 'agent'>, service?: string): Promise<Ordered<Incident>> {
  const { items, next } = await agent.incidents({ state: 'active', ...(service === undefined ? {} : { service }), limit: READ })
  return {
    items: items.toSorted((a, b) => a.severity - b.severity || a.openedAt.getTime() - b.openedAt.getTime()),
    isWhole: next === null,
  }
}

/** Requests that wait for a click, those first that expire first. */
export async function waitingForClick({ agent }: Pick<CommandContext, 'agent'>): Promise<Ordered<Approval>> {
  const { items, next } = await agent.approvals({ state: 'pending', limit: READ })
  return { items: items.toSorted((a, b) => a.plan.expiresAt.localeCompare(b.plan.expiresAt)), isWhole: next === null }
}

/** The first of them as a list, and how many there are beside those; `all` is the command that lists them. */
export function cutList<Item>(
  title: string,
  { items, isWhole }: Ordered<Item>,
  { shown, line, all }: { shown: number; line: (item: Item) => readonly Span[]; all?: string },
): CardBlock[] {
  const more = Math.max(0, items.length - shown)
  const where = all === undefined ? say`the console shows all of them` : say`${code(all)} lists them`
  const rest = more > 0 || !isWhole ? [[...say`and ${isWhole ? '' : 'more than '}${more} more; `, ...where]] : []
  return list(title, [...items.slice(0, shown).map(line), ...rest])
}
