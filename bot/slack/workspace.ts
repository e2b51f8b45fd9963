import { z } from 'zod'
import type { SlackWeb } from './slack-api.ts'

/** The workspace the bot token belongs to, and who the bot is there. */
export interface Workspace {
  teamId: string
  team: string
  botUserId: string
  botId: string
}

const workspaceSchema = z.object({ teamId: z.string().min(1), team: z.string(), botUserId: z.string(), botId: z.string() })
const KEY = 'slack-workspace'

export interface WorkspaceDeps {
  web: Pick<SlackWeb, 'whoAmI'>
  /** Rows that survive a restart: while Slack is away the workspace is known from the time before. */
  meta: { get(key: string): Promise<unknown>; set(key: string, value: unknown): Promise<void> }
}

/** Asks Slack once and remembers; `known` is what the rows say, null before the first answer. */
export function createWorkspace({ web, meta }: WorkspaceDeps): { ask(): Promise<Workspace>; known(): Promise<Workspace | null> } {
  let asked: Workspace | null = null
  const known = async (): Promise<Workspace | null> => asked ?? (await readWorkspace(meta))
  return {
    known,
    async ask() {
      if (asked) return asked
      const { scopes: _scopes, ...workspace } = await web.whoAmI()
      await meta.set(KEY, workspace)
      asked = workspace
      return workspace
    },
  }
}

/** The workspace as the process that talks to Slack stored it. */
export async function readWorkspace(meta: Pick<WorkspaceDeps['meta'], 'get'>): Promise<Workspace | null> {
  const stored = workspaceSchema.safeParse(await meta.get(KEY))
  return stored.success ? stored.data : null
}
