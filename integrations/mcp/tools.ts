import type { Client, RequestOptions } from '@modelcontextprotocol/client'
import { IntegrationError } from '../errors.ts'
import type { OutsideTool, OutsideToolsPort } from '../ports/outside-tools.ts'
import { readAnswer } from './answer.ts'
import { connected, integration, type McpServer } from './connection.ts'
import { type Described, describe } from './descriptor.ts'

/** A tool that an engineer read and wrote into the settings, by the digest of everything it said of itself then. */
export interface Pin {
  name: string
  /** What a model calls it. */
  modelName: string
  sha256: string
}

const MOST_TOOLS = 500
const LIST_CHANGED = 'notifications/tools/list_changed'

/** Everything that a server offers at this moment. @throws IntegrationError */
export async function listTools(server: McpServer, signal: AbortSignal): Promise<Described[]> {
  return await connected(server, signal, (client, options) => listed(server, client, options))
}

async function listed(server: McpServer, client: Client, options: RequestOptions): Promise<Described[]> {
  const { tools } = await client.listTools({}, { ...options, cacheMode: 'bypass' })
  if (tools.length > MOST_TOOLS)
    throw new IntegrationError(integration(server).integration, 'invalid_response', `it offers more than ${MOST_TOOLS} tools`)
  return tools.map(({ name, title = null, description = '', inputSchema, outputSchema = null, annotations = {} }) =>
    describe({ name, title, description, inputSchema, outputSchema, annotations: { ...annotations } }),
  )
}

/** What stands between a pinned tool and its use, and what to do about it; null when it is as it was reviewed. Pure. */
export function objectionTo({ name, sha256 }: Pin, tools: readonly Described[], server: Pick<McpServer, 'name'>): string | null {
  const [found, ...others] = tools.filter(({ descriptor }) => descriptor.name === name)
  const read = `read what it offers with "steadyhand mcp list ${server.name}"`
  if (!found) return `${server.name} does not offer ${name} any more: ${read}, and take it out of mcp[].tools.`
  if (others.length > 0) return `${server.name} offers ${name} twice, so nobody can say which was reviewed: ${read}.`
  // Before the digest: a tool that says since that it writes is more than one with other words.
  if (found.objection !== null) return `${name} of ${server.name} cannot be used: ${found.objection}.`
  if (found.sha256 === sha256) return null
  return `${name} of ${server.name} is not what was reviewed (its words, input or hints changed): ${read}, and write its new sha256 into mcp[].tools if you agree.`
}

/** The pinned tools of one server, as far as they are what was reviewed. */
export function createTools(
  server: McpServer,
  about: Pick<OutsideToolsPort, 'kind' | 'workspaces'>,
  pins: readonly Pin[],
): OutsideToolsPort {
  return {
    ...about,
    async offer(signal) {
      const described = await listTools(server, signal).catch((error: unknown) => {
        if (error instanceof IntegrationError) return error
        throw error
      })
      if (described instanceof IntegrationError)
        return { tools: [], withheld: [`${server.name} could not be asked what it offers (${described.message}).`], unreviewed: [] }
      const judged = pins.map((pin) => ({ pin, objection: objectionTo(pin, described, server) }))
      return {
        tools: judged.flatMap(({ pin, objection }) => (objection === null ? offeredTool(server, pin, described) : [])),
        withheld: judged.flatMap(({ objection }) => objection ?? []),
        unreviewed: described.map(({ descriptor }) => descriptor.name).filter((name) => !pins.some((pin) => pin.name === name)),
      }
    },
  }
}

function offeredTool(server: McpServer, pin: Pin, described: readonly Described[]): OutsideTool[] {
  return described.flatMap(({ descriptor: { name, description }, input }) =>
    name === pin.name && input !== null
      ? [{ name: pin.modelName, calledThere: name, description, input, ask: (given, signal) => ask(server, pin, given, signal) }]
      : [],
  )
}

/** In one connection: what it is now, then the question, and what it is still where the server said meanwhile that something changed. */
async function ask(
  server: McpServer,
  pin: Pin,
  input: Readonly<Record<string, unknown>>,
  signal: AbortSignal,
): ReturnType<OutsideTool['ask']> {
  return await connected(server, signal, async (client, options) => {
    let isChanged = false
    client.setNotificationHandler(LIST_CHANGED, () => {
      isChanged = true
    })
    demandReviewed(pin, await listed(server, client, options), server)
    const result = await client.callTool({ name: pin.name, arguments: { ...input } }, options)
    if (isChanged) demandReviewed(pin, await listed(server, client, options), server)
    return readAnswer(result)
  })
}

/** @throws IntegrationError refused */
function demandReviewed(pin: Pin, tools: readonly Described[], server: McpServer): void {
  const objection = objectionTo(pin, tools, server)
  if (objection !== null) throw new IntegrationError(integration(server).integration, 'refused', objection)
}
