import { z } from 'zod'
import type { ModelTool } from '../../integrations/ports/model.ts'
import type { OutsideTool, OutsideToolsPort } from '../../integrations/ports/outside-tools.ts'
import type { Incident } from '../domain/incident.ts'
import type { DataKind } from '../domain/model-data.ts'
import { replacePersonal, USUALLY_MASKED } from '../domain/personal-data.ts'
import { ownersOf, type Workspace } from '../domain/workspace.ts'
import { redact } from '../redact.ts'
import type { Found, Tool } from '../tools/define-tool.ts'
import type { WarningLog } from './ask-source.ts'
import { collectOutside, textsIn } from './evidence/outside.ts'
import type { ModelPrompts } from './model-prompts.ts'
import { oneLine } from './outside-text.ts'
import { asData, asDescription } from './quarantine.ts'
import { type Scope, type Source, sourcesFor } from './scope.ts'

const OFFER_TIMEOUT_MS = 3_000
/** They are asked over a network that is not ours, after a look at what they are. */
const ANSWER_TIMEOUT_MS = 12_000
/** Of all of them together in a prompt: they are read again at each turn. */
const MOST_DESCRIBED = 6_000
const LONGEST_DESCRIPTION = 600
const LONGEST_FIELD = 160
/** Of what a model may send to somebody else. */
const MOST_SENT = 1_000
const LONGEST_SENT = 300
const NAMES_SHOWN = 10

/** Tools of servers of somebody else, for one look of a model. */
export interface OutsideTools {
  tools: ReadonlyMap<string, Tool>
  described: readonly ModelTool[]
  /** Why others are not offered, for people. */
  withheld: readonly string[]
}

interface OutsideDeps {
  sources: readonly Source[]
  workspaces?: readonly Workspace[]
  prompts: Pick<ModelPrompts, 'outside'>
  signal: AbortSignal
  log: WarningLog
}

type Lender = { id: string; port: OutsideToolsPort }

/**
 * What servers of somebody else offer at this moment for one incident: of its environment, of kinds that may be told, read by nobody who may not, and
 * described only as engineers reviewed it. A server that cannot be asked costs nothing but itself.
 */
export async function outsideTools(
  deps: OutsideDeps,
  { incident, scope, allowed }: { incident: Incident; scope: Scope; allowed: ReadonlySet<DataKind> },
): Promise<OutsideTools> {
  const lenders = sourcesFor(deps.sources, scope.environment).flatMap(({ id, outsideTools: port }): Lender[] =>
    port && allowed.has(port.kind) ? [{ id, port }] : [],
  )
  const isForAll = ({ port }: Lender): boolean =>
    ownersOf(deps.workspaces ?? [], incident).every(({ name }) => port.workspaces.includes(name))
  const unasked = lenders
    .filter((lender) => !isForAll(lender))
    .map(({ id }) => `${id} is not asked: not every workspace that sees this incident is named with it.`)
  const offers = await Promise.all(lenders.filter(isForAll).map((lender) => offerOf(lender, deps)))
  const { fitting, tooMany } = withinRoom(offers.flatMap(({ described }) => described))
  const withheld = [...unasked, ...offers.flatMap((offer) => offer.withheld), ...tooMany]
  return {
    tools: new Map(fitting.map(({ lender, tool, described }) => [described.name, toolOf(lender, tool, scope, deps)])),
    described: fitting.map(({ described }) => described),
    withheld: [...withheld, ...offers.flatMap(({ unreviewed }) => unreviewed)].map((words) => oneLine(words, 400)),
  }
}

interface Offered {
  lender: Lender
  tool: OutsideTool
  described: ModelTool
}

async function offerOf(
  lender: Lender,
  { prompts, signal, log }: OutsideDeps,
): Promise<{ described: Offered[]; withheld: readonly string[]; unreviewed: string[] }> {
  const { id, port } = lender
  const { tools, withheld, unreviewed } = await port.offer(AbortSignal.any([signal, AbortSignal.timeout(OFFER_TIMEOUT_MS)]))
  for (const words of withheld) log.warn({ source: id, words }, 'a tool of another server is not offered to the model')
  const names = unreviewed.slice(0, NAMES_SHOWN).map((name) => oneLine(name, 60))
  const more = unreviewed.length - names.length
  return {
    described: tools.map((tool) => ({ lender, tool, described: describedTool(lender, tool, prompts) })),
    withheld,
    unreviewed:
      names.length === 0 ? [] : [`${id} offers more that nobody reviewed: ${names.join(', ')}${more > 0 ? ` and ${more} others` : ''}.`],
  }
}

function describedTool({ id, port }: Lender, { name, description, input }: OutsideTool, prompts: OutsideDeps['prompts']): ModelTool {
  const theirs = asData(
    { label: name, kind: 'description', trust: 'chat' },
    asDescription(description, LONGEST_DESCRIPTION),
    LONGEST_DESCRIPTION,
  )
  return { name, description: prompts.outside({ server: id, kind: port.kind, description: theirs }), input: withPlainWords(input) }
}

/** The same schema; what it says to a reader is made fit to be read. */
function withPlainWords(schema: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(schema).map(([key, value]) => {
      if (key === 'description') return [key, asDescription(String(value), LONGEST_FIELD)]
      if (key === 'properties') return [key, eachSchema(value)]
      return [key, partOf(value)]
    }),
  )
}

function eachSchema(fields: unknown): unknown {
  return Object.fromEntries(Object.entries(fields as object).map(([name, part]) => [name, partOf(part)]))
}

function partOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(partOf)
  return typeof value === 'object' && value !== null ? withPlainWords(value as Record<string, unknown>) : value
}

/** As many as there is room for, in the order of the settings. */
function withinRoom(offered: readonly Offered[]): { fitting: Offered[]; tooMany: string[] } {
  const sizes = offered.map(({ described }) => JSON.stringify(described).length)
  const fits = offered.map((_, i) => sizes.slice(0, i + 1).reduce((sum, size) => sum + size, 0) <= MOST_DESCRIBED)
  return {
    fitting: offered.filter((_, i) => fits[i]),
    tooMany: offered
      .filter((_, i) => !fits[i])
      .map(
        ({ lender, tool }) =>
          `${tool.calledThere} of ${lender.id} is not offered: what is reviewed already fills a prompt. Take others out of mcp[].tools.`,
      ),
  }
}

function toolOf({ id, port }: Lender, tool: OutsideTool, scope: Scope, { signal, log }: OutsideDeps): Tool {
  return {
    name: tool.name,
    kind: port.kind,
    input: z.fromJSONSchema(tool.input),
    timeoutMs: ANSWER_TIMEOUT_MS,
    async run(given): Promise<Found> {
      const input = given as Readonly<Record<string, unknown>>
      const kept = reasonToKeep(input)
      if (kept !== null) return { result: 'denied', words: kept }
      return { result: 'read', evidence: [await collectOutside({ id, kind: port.kind }, tool, input, scope, signal, log)] }
    },
  }
}

/** Why arguments do not leave for somebody else's server; null when they may. A model may have read that it should send what it knows. */
function reasonToKeep(input: Readonly<Record<string, unknown>>): string | null {
  const texts = textsIn(input)
  if (JSON.stringify(input).length > MOST_SENT || texts.some((text) => text.length > LONGEST_SENT))
    return `The input is too long to be sent to somebody else: ${LONGEST_SENT} characters a text, ${MOST_SENT} in all.`
  if (texts.some((text) => redact(text) !== text)) return 'The input holds what looks like a secret, and was not sent.'
  if (texts.some((text) => replacePersonal(text, USUALLY_MASKED, () => '') !== text))
    return 'The input holds data of a person, and was not sent.'
  return null
}
