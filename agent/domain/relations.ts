import { z } from 'zod'
import type { IncidentEvent } from './incident.ts'

/** A trouble that came back: the alert of an incident that was over fires again. */
export interface Recurrence {
  /** The incident before. */
  of: string
  /** Which time this is: 2 or more. */
  count: number
  /** When the first of these incidents was opened. */
  since: Date
}

/** How an incident belongs with others. */
export interface Relations {
  recurrence: Recurrence | null
  /** The incident as which its trouble came back after it was over. */
  backAs: string | null
  /** The incident that it is a part of, by a person's word: what follows is there. */
  mergedInto: string | null
  /** Incidents that are a part of it, in the order in which they became that. */
  parts: readonly string[]
}

const ID = z.string().min(1).max(100)
const openedSchema = z.object({ recurrence: z.object({ of: ID, count: z.int().min(2), since: z.coerce.date() }) })
const backSchema = z.object({ as: ID })
const mergedSchema = z.object({ into: ID })
const joinedSchema = z.object({ joined: ID })

/** From the timeline alone, so that every process and every restart sees the same. */
export function relationsOf(timeline: readonly Pick<IncidentEvent, 'kind' | 'detail'>[]): Relations {
  const last = <T>(kind: string, schema: z.ZodType<T>): T | null => said(timeline, kind, schema).at(-1) ?? null
  return {
    recurrence: last('incident-opened', openedSchema)?.recurrence ?? null,
    backAs: last('incident-recurred', backSchema)?.as ?? null,
    mergedInto: last('incident-merged', mergedSchema)?.into ?? null,
    parts: said(timeline, 'incident-joined', joinedSchema).map(({ joined }) => joined),
  }
}

function said<T>(timeline: readonly Pick<IncidentEvent, 'kind' | 'detail'>[], kind: string, schema: z.ZodType<T>): T[] {
  return timeline.flatMap((event) => {
    const read = event.kind === kind ? schema.safeParse(event.detail) : null
    return read?.success ? [read.data] : []
  })
}
