import { z } from 'zod'
import { HttpProblem } from '../problem.ts'

const CURSOR = /^[A-Za-z0-9_-]{1,300}$/

/** An id in an address. What cannot be one is simply not found. */
export const idSchema = z.object({ id: z.string().regex(/^[A-Za-z0-9._:-]{1,200}$/) })

/** How much of a list, and from where on. */
export const pageQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().optional(),
})

/** The shape of every list. */
export function listOf<Item extends z.ZodType>(item: Item): z.ZodObject<{ items: z.ZodArray<Item>; next: z.ZodNullable<z.ZodString> }> {
  return z.object({ items: z.array(item), next: z.string().nullable() })
}

interface Page<Item> {
  items: Item[]
  next: string | null
}

/**
 * Reads one page of a list. To callers a cursor is opaque: it names the list it is of, so that one of another list, or one made up, is
 * refused instead of starting somewhere. `list.cursor` is what the cursors of its store look like.
 *
 * @throws HttpProblem invalid-cursor
 */
export async function readPage<Item>(
  list: { name: string; cursor: RegExp },
  query: { limit: number; cursor?: string | undefined },
  read: (page: { limit: number; cursor?: string }) => Promise<Page<Item>>,
): Promise<Page<Item>> {
  const cursor = query.cursor === undefined ? undefined : openCursor(list, query.cursor)
  const page = await readOrRefuse(() => read({ limit: query.limit, ...(cursor === undefined ? {} : { cursor }) }))
  return { items: page.items, next: page.next === null ? null : Buffer.from(`${list.name} ${page.next}`).toString('base64url') }
}

function openCursor(list: { name: string; cursor: RegExp }, cursor: string): string {
  const [name, inner, ...rest] = CURSOR.test(cursor) ? Buffer.from(cursor, 'base64url').toString('utf8').split(' ') : []
  if (name !== list.name || inner === undefined || rest.length > 0 || !list.cursor.test(inner)) throw new HttpProblem('invalid-cursor')
  return inner
}

/** Stores refuse a cursor they never gave with a RangeError. */
async function readOrRefuse<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof RangeError) throw new HttpProblem('invalid-cursor')
    throw error
  }
}
