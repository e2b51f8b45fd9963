import type { CheckResult, Integration } from '../contract.ts'
import { IntegrationError } from '../errors.ts'
import type { OutsideToolsPort } from '../ports/outside-tools.ts'
import { integration, type McpServer } from './connection.ts'
import type { Described } from './descriptor.ts'
import { createTools, listTools, objectionTo, type Pin } from './tools.ts'

/** One server, and the tools of it that were reviewed. */
export interface McpOptions extends Pick<McpServer, 'name' | 'url' | 'token'> {
  environment: string
  data: OutsideToolsPort['kind']
  workspaces: readonly string[]
  tools: readonly Pin[]
  /** Milliseconds for one use; 10,000 unless given. */
  timeoutMs?: number
}

/** What a server offers, for an engineer who reviews it; `words` where it cannot be asked. */
export type McpListing = { name: string; url: string } & (
  | {
      ok: true
      tools: readonly (Pick<Described, 'descriptor' | 'sha256' | 'objection'> & { isPinned: boolean })[]
      gone: readonly string[]
    }
  | { ok: false; words: string }
)

const TIMEOUT_MS = 10_000
const CHECK_TIMEOUT_MS = 3_000

/** Reviewed read-only tools of one server of somebody else. */
export function createMcp(options: McpOptions): Integration & Required<Pick<Integration, 'outsideTools'>> {
  const { name, environment, data, workspaces, tools } = options
  const server = serverOf(options)
  return {
    id: integration({ name }).integration,
    environments: [environment],
    outsideTools: createTools(server, { kind: data, workspaces }, tools),
    start: async () => {},
    stop: async () => {},
    check: async () => await checkServer({ ...server, timeoutMs: Math.min(server.timeoutMs, CHECK_TIMEOUT_MS) }, tools),
  }
}

/** Everything that a server offers now, reviewed or not. Nothing of it is called. */
export async function listMcp(options: McpOptions, signal: AbortSignal): Promise<McpListing> {
  const { name, url } = options
  try {
    const tools = await listTools(serverOf(options), signal)
    const known = new Map(options.tools.map((pin) => [pin.name, pin.sha256]))
    return {
      ...{ ok: true, name, url },
      tools: tools.map(({ descriptor, sha256, objection }) => ({
        ...{ descriptor, sha256, objection },
        isPinned: sha256 !== null && known.get(descriptor.name) === sha256,
      })),
      gone: [...known.keys()].filter((pinned) => !tools.some(({ descriptor }) => descriptor.name === pinned)),
    }
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return { ok: false, name, url, words: error.message }
  }
}

function serverOf({ name, url, token, timeoutMs = TIMEOUT_MS }: McpOptions): McpServer {
  return { name, url, token, timeoutMs }
}

/** That it answers, and each tool that is not what was reviewed. */
async function checkServer(server: McpServer, pins: readonly Pin[]): Promise<CheckResult[]> {
  const name = integration(server).integration
  const list = `steadyhand mcp list ${server.name}`
  try {
    const tools = await listTools(server, AbortSignal.timeout(server.timeoutMs))
    const objections = pins.flatMap((pin) => objectionTo(pin, tools, server) ?? [])
    const others = tools.filter(({ descriptor }) => !pins.some((pin) => pin.name === descriptor.name)).length
    const words = `${pins.length - objections.length} of ${pins.length} reviewed tools can be asked; ${others} that nobody reviewed are not offered`
    const whole: CheckResult =
      pins.length === 0
        ? { name, status: 'warning', words: `${words}, so it is not used`, fix: `Read what it offers with "${list}".` }
        : { name, status: 'ok', words, fix: null }
    return [whole, ...objections.map((objection): CheckResult => ({ name, status: 'warning', words: objection, fix: `Run "${list}".` }))]
  } catch (error) {
    if (!(error instanceof IntegrationError)) throw error
    return [{ name, status: 'failed', words: error.message, fix: fixOf(error, server.url) }]
  }
}

function fixOf({ code }: IntegrationError, url: string): string {
  if (code === 'auth' || code === 'permission') return 'Give it a token that may read: mcp[].tokenFile, or for the first MCP_TOKEN.'
  return `See that ${url} is its address (mcp[].url), speaks Streamable HTTP and can be reached from here.`
}
