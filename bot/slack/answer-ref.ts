import { z } from 'zod'

const id = z.string().min(1).max(200)
const askedSchema = z.union([
  z.object({ event_id: id }).transform(({ event_id }) => event_id),
  z.object({ type: z.literal('view_submission'), view: z.object({ id }) }).transform(({ view }) => formRef(view.id)),
])

/** The ref of the answer to what was asked in a form. */
export function formRef(viewId: string): string {
  return `form:${viewId}`
}

/** The ref of the answer that everybody reads to what Slack sent; null where nothing can be answered like this. */
export function refOf(body: unknown): string | null {
  const asked = askedSchema.safeParse(body)
  return asked.success ? asked.data : null
}
