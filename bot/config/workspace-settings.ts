import { z } from 'zod'
import { DATA_KINDS } from '../../agent/domain/model-data.ts'
import type { Workspace } from '../../agent/domain/workspace.ts'

const pattern = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[^*]*(\*[^*]+)*\*?$/, 'must not hold ** in it')
const ids = (most: number) => z.array(z.string().trim().min(1).max(200)).max(most).default([])

/** A team with what it looks after. What is left out of `services` or `environments` is every one; leaving both out would be everything, which has to be said. */
export const workspaceFileSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-z0-9][a-z0-9._-]{0,63}$/, 'must be lower case letters, digits, dots, dashes or underscores')
      .meta({ description: 'What the team is called; each once.' }),
    services: z.array(pattern).min(1).max(500).optional().meta({
      description:
        'What it looks after; * stands for any characters. Left out: every service of its environments. One of the two must be there.',
    }),
    environments: z
      .array(pattern)
      .min(1)
      .max(200)
      .optional()
      .meta({ description: 'Where it looks after them; * stands for any characters. Left out: everywhere.' }),
    data: z
      .array(z.enum(DATA_KINDS))
      .max(DATA_KINDS.length)
      .optional()
      .meta({ description: 'Kinds of data that are read of its services; left out: all of them.' }),
    people: ids(1_000).meta({ description: 'Who is in it, by the ids of people.' }),
    keys: ids(100).meta({ description: 'Names of API keys, which are written NAME:KEY.' }),
    channels: z
      .array(z.string().regex(/^[CG][A-Z0-9]{2,30}$/, 'must be the id of a channel, such as C0123ABCD'))
      .max(50)
      .default([])
      .meta({
        description:
          'Channels of the chat, by their ids: the first shows its incidents, and in each of them questions about it are answered.',
      }),
  })
  .refine(({ services, environments }) => services !== undefined || environments !== undefined, {
    message: 'must name services or environments; services: ["*"] is every one',
  })

export function readWorkspaces(file: readonly z.infer<typeof workspaceFileSchema>[] = []): Workspace[] {
  return file.map(({ services = null, environments = null, data = [...DATA_KINDS], ...rest }) => ({
    ...rest,
    services,
    environments,
    data,
  }))
}

/** Servers of others that would be asked for nobody, or for a workspace that there is not. */
export function readerProblems(
  workspaces: readonly Workspace[],
  servers: readonly { name: string; workspaces: readonly string[] }[],
): string[] {
  return servers.flatMap(({ name, workspaces: readers }) => {
    if (workspaces.length > 0 && readers.length === 0)
      return [`mcp: ${name} names no workspaces: where there are some, name those in whose incidents it may be asked.`]
    const unknown = readers.filter((reader) => !workspaces.some((each) => each.name === reader))
    return unknown.map((reader) => `mcp: ${name} names the workspace ${reader}, which there is not.`)
  })
}

/** What would let a workspace hold less, or somebody else, than whoever wrote it believes. */
export function workspaceProblems(workspaces: readonly Workspace[], known: readonly { name: string | null }[]): string[] {
  const keys = new Set(known.map(({ name }) => name))
  const names = workspaces.map(({ name }) => name)
  const homes = workspaces.flatMap(({ name, channels }) => channels.map((channel) => ({ name, channel })))
  return [
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `workspaces: "${name}" is there twice.`),
    ...workspaces.flatMap((each) =>
      each.keys.filter((name) => !keys.has(name)).map((name) => `workspaces: ${each.name} names the key ${name}, which there is not.`),
    ),
    ...homes
      .filter(({ channel }, index) => homes.findIndex((home) => home.channel === channel) !== index)
      .map(({ name, channel }) => `workspaces: the channel ${channel} of ${name} belongs to another workspace too.`),
  ]
}
