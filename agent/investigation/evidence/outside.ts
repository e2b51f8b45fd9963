import type { OutsideTool } from '../../../integrations/ports/outside-tools.ts'
import type { OutsideContent } from '../../diagnosis/evidence-content.ts'
import type { NewEvidence } from '../../domain/evidence.ts'
import { type DataKind, outsideKind } from '../../domain/model-data.ts'
import { askSource, type WarningLog } from '../ask-source.ts'
import { oneLine, plainText } from '../outside-text.ts'
import type { Scope } from '../scope.ts'

const MOST_CHARACTERS = 20_000

/** What a server of somebody else answers to one question: text of others, whoever they are. */
export async function collectOutside(
  source: { id: string; kind: DataKind },
  tool: OutsideTool,
  input: Readonly<Record<string, unknown>>,
  scope: Pick<Scope, 'from' | 'to'>,
  signal: AbortSignal,
  log: WarningLog,
): Promise<NewEvidence> {
  const { id, kind } = source
  const frame = { kind: outsideKind(kind), source: id, trust: 'chat' as const, from: scope.from, to: scope.to, link: null }
  const name = oneLine(tool.calledThere, 60)
  const query = `${name} ${oneLine(JSON.stringify(input).toWellFormed(), 1_500)}`
  const answer = await askSource(() => tool.ask(input, signal), signal, log)
  if (!answer.ok) {
    const words = oneLine(answer.words, 300)
    if (answer.fault === 'refused') log.warn({ source: id, words }, 'a tool of another server was not asked')
    return { ...frame, query, status: answer.status, summary: `${name}: ${words}`, content: { server: id, failed: words } }
  }
  const { text: said, omitted, unread, failed } = answer.value
  const text = plainText(said, MOST_CHARACTERS)
  const rest = [
    ...(omitted > 0 ? [`${omitted} characters more were not read`] : []),
    ...(unread > 0
      ? [`${unread} ${unread === 1 ? 'part that is' : 'parts that are'} no text ${unread === 1 ? 'was' : 'were'} not read`]
      : []),
  ]
  const summary = [`${name}: ${text === '' ? 'no text' : oneLine(text, 200)}`, ...rest].join('; ')
  if (failed) return { ...frame, query, status: 'failed', summary, content: { server: id, failed: oneLine(text, 1_000) } }
  const content: OutsideContent = {
    server: id,
    tool: name,
    asked: textsIn(input).map((each) => oneLine(each.toWellFormed(), 300)),
    text,
    omitted,
    unread,
  }
  return { ...frame, query, status: text === '' ? 'empty' : 'ok', summary, content }
}

/** Every text and number in a value, names of fields apart. */
export function textsIn(value: unknown): string[] {
  if (typeof value === 'string' || typeof value === 'number') return [String(value)]
  if (typeof value !== 'object' || value === null) return []
  return Object.values(value).flatMap(textsIn)
}
