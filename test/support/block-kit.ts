import { z } from 'zod'

/** Shapes and limits of the blocks we use, as https://docs.slack.dev/reference/block-kit publishes them; anything else is invalid. */
const plainText = (max: number) =>
  z.strictObject({ type: z.literal('plain_text'), text: z.string().min(1).max(max), emoji: z.boolean().optional() })
const mrkdwn = (max: number) => z.strictObject({ type: z.literal('mrkdwn'), text: z.string().min(1).max(max), verbatim: z.literal(true) })
const url = z.url({ protocol: /^https?$/ }).max(3_000)
const actionId = z.string().min(1).max(255)

const button = z.strictObject({
  type: z.literal('button'),
  text: plainText(75),
  action_id: actionId,
  value: z.string().min(1).max(2_000).optional(),
  url: url.optional(),
  style: z.enum(['primary', 'danger']).optional(),
})
const option = z.strictObject({ text: plainText(75), value: z.string().min(1).max(150) })
const overflow = z.strictObject({ type: z.literal('overflow'), action_id: actionId, options: z.array(option).min(1).max(5) })

const style = z.strictObject({ bold: z.literal(true).optional(), code: z.literal(true).optional() }).optional()
const richElement = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('text'), text: z.string().min(1), style }),
  z.strictObject({ type: z.literal('link'), text: z.string().min(1), url }),
  z.strictObject({
    type: z.literal('date'),
    timestamp: z.int().positive(),
    format: z.string().regex(/\{[a-z_]+\}/),
    fallback: z.string().min(1),
  }),
])
const richSection = z.strictObject({ type: z.literal('rich_text_section'), elements: z.array(richElement).min(1) })
const richPart = z.discriminatedUnion('type', [
  richSection,
  z.strictObject({ type: z.literal('rich_text_list'), style: z.enum(['bullet', 'ordered']), elements: z.array(richSection).min(1) }),
  z.strictObject({ type: z.literal('rich_text_quote'), elements: z.array(richElement).min(1) }),
])

const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), text: plainText(150) }),
  z.strictObject({ type: z.literal('section'), fields: z.array(mrkdwn(2_000)).min(1).max(10) }),
  z.strictObject({
    type: z.literal('context'),
    elements: z
      .array(z.union([mrkdwn(3_000), plainText(3_000)]))
      .min(1)
      .max(10),
  }),
  z.strictObject({ type: z.literal('divider') }),
  z.strictObject({ type: z.literal('rich_text'), elements: z.array(richPart).min(1) }),
  z.strictObject({
    type: z.literal('actions'),
    elements: z
      .array(z.discriminatedUnion('type', [button, overflow]))
      .min(1)
      .max(25),
  }),
])

const message = z.strictObject({ text: z.string().min(1).max(4_000), blocks: z.array(block).min(1).max(50) })

const MOST_CHARACTERS = 12_000
const RICH_TEXT_CHARACTERS = 3_000

/** What is wrong with a rendered message, one sentence each; none when Slack would take it. */
export function blockKitFaults(rendered: unknown): string[] {
  const parsed = message.safeParse(rendered)
  if (!parsed.success) return parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)
  const { blocks } = parsed.data
  const total = visibleTexts(blocks).join('').length
  const long = blocks.filter((one) => one.type === 'rich_text' && visibleTexts(one).join('').length > RICH_TEXT_CHARACTERS)
  const ids = blocks.map((one) => (one.type === 'actions' ? one.elements.map((element) => element.action_id) : []))
  return [
    ...(total > MOST_CHARACTERS ? [`all texts: ${total} characters, more than ${MOST_CHARACTERS}`] : []),
    ...long.map(() => `rich text longer than ${RICH_TEXT_CHARACTERS} characters`),
    ...ids.filter((row) => new Set(row).size !== row.length).map((row) => `action ids repeat: ${row.join(', ')}`),
  ]
}

/** Every text of the blocks that a reader sees, in order. */
export function visibleTexts(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(visibleTexts)
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, item]) =>
    typeof item === 'string' ? (key === 'text' || key === 'fallback' ? [item] : []) : visibleTexts(item),
  )
}
