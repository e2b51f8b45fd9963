import type { z } from 'zod'
import { messageBlocks, viewSchema } from './block-schemas.ts'
import { isJson, type Json } from './json.ts'

/** What is wrong with the blocks of a message, in Slack's words, with the place as a JSON pointer below `/blocks`. None when Slack takes them. */
export function problemsOfBlocks(blocks: unknown): string[] {
  const parsed = messageBlocks.safeParse(blocks)
  return parsed.success ? problemsOfIds(blocks, '/blocks') : parsed.error.issues.flatMap((issue) => inSlackWords(issue, blocks, '/blocks'))
}

/** What is wrong with a view; the places are below `/view`. */
export function problemsOfView(view: unknown): string[] {
  const parsed = viewSchema.safeParse(view)
  if (!parsed.success) return parsed.error.issues.flatMap((issue) => inSlackWords(issue, view, '/view'))
  const { data } = parsed
  const lacksSubmit = data.type === 'modal' && data.submit === undefined && data.blocks.some(({ type }) => type === 'input')
  return [...(lacksSubmit ? ['missing required field: submit [json-pointer:/view]'] : []), ...problemsOfIds(data.blocks, '/view/blocks')]
}

/** All texts of blocks or of a view together, as a reader sees them. */
export function visibleLength(value: unknown): number {
  if (Array.isArray(value)) return value.reduce((total: number, item) => total + visibleLength(item), 0)
  if (!isJson(value)) return 0
  return Object.entries(value).reduce((total, [key, item]) => {
    const isText = typeof item === 'string' && ['text', 'fallback', 'title', 'caption'].includes(key)
    return total + (isText ? item.length : visibleLength(item))
  }, 0)
}

function inSlackWords(issue: z.core.$ZodIssue, root: unknown, at: string): string[] {
  const place = (path: readonly PropertyKey[]): string => `[json-pointer:${[at, ...path.map(String)].join('/')}]`
  const { path } = issue
  switch (issue.code) {
    case 'too_big':
      return [`${issue.origin === 'array' ? `no more than ${issue.maximum} items allowed` : tooLong(issue)} ${place(path)}`]
    case 'too_small':
      return [`${issue.origin === 'array' ? `no less than ${issue.minimum} items allowed` : tooShort(issue)} ${place(path)}`]
    case 'unrecognized_keys':
      return issue.keys.map((key) => `invalid additional property: ${key} ${place(path)}`)
    case 'invalid_union': {
      const type = valueAt(root, path)
      return [
        type === undefined
          ? `missing required field: type ${place(path.slice(0, -1))}`
          : `unsupported type: ${String(type)} ${place(path)}`,
      ]
    }
    case 'invalid_type':
      return valueAt(root, path) === undefined
        ? [`missing required field: ${String(path.at(-1))} ${place(path.slice(0, -1))}`]
        : [`must be a ${issue.expected} ${place(path)}`]
    case 'invalid_value':
      return [`value must be one of the allowed values: ${issue.values.map(String).join(', ')} ${place(path)}`]
    default:
      return [`${issue.message} ${place(path)}`]
  }
}

function tooLong(issue: { origin: string; maximum: number | bigint }): string {
  return issue.origin === 'string' ? `must be less than ${Number(issue.maximum) + 1} characters` : `must be at most ${issue.maximum}`
}

function tooShort(issue: { origin: string; minimum: number | bigint }): string {
  return issue.origin === 'string' ? `must be more than ${Number(issue.minimum) - 1} characters` : `must be at least ${issue.minimum}`
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((value, key) => (typeof value === 'object' && value !== null ? Reflect.get(value, key) : undefined), root)
}

/** What no schema of one block can say: ids are unique, and every block says something. */
function problemsOfIds(blocks: unknown, at: string): string[] {
  const all = Array.isArray(blocks) ? blocks.filter(isJson) : []
  const problems = all.flatMap((block, index) => [...problemsOfBlock(block, `${at}/${index}`)])
  const ids = all.map((block) => block['block_id']).filter((id) => typeof id === 'string')
  const repeated = ids.filter((id, index) => ids.indexOf(id) !== index)
  const markdown = all.filter(({ type }) => type === 'markdown').reduce((total, { text }) => total + String(text).length, 0)
  return [
    ...problems,
    ...repeated.map((id) => `block_id \`${id}\` already exists [json-pointer:${at}]`),
    ...(markdown > 12_000 ? [`all markdown blocks together must be less than 12001 characters [json-pointer:${at}]`] : []),
  ]
}

function problemsOfBlock(block: Json, at: string): string[] {
  const missing = (field: string): string => `missing required field: ${field} [json-pointer:${at}]`
  const has = (...fields: string[]): boolean => fields.some((field) => block[field] !== undefined)
  const rules: Record<string, () => string[]> = {
    section: () => (has('text', 'fields') ? [] : [missing('text')]),
    image: () => (has('image_url', 'slack_file') ? [] : [missing('image_url')]),
    card: () => (has('hero_image', 'title', 'actions', 'body') ? [] : [missing('title')]),
    container: () => [
      ...(has('title', 'rich_text_title') ? [] : [missing('title')]),
      ...problemsOfIds(block['child_blocks'], `${at}/child_blocks`),
    ],
  }
  return [...(rules[String(block['type'])]?.() ?? []), ...repeatedActions(block, at)]
}

function repeatedActions(block: Json, at: string): string[] {
  const elements = Array.isArray(block['elements']) ? block['elements'].filter(isJson) : []
  const ids = elements.map((element) => element['action_id']).filter((id) => typeof id === 'string')
  return ids.flatMap((id, index) =>
    ids.indexOf(id) === index ? [] : [`action_id \`${id}\` already exists for this block [json-pointer:${at}/elements/${index}/action_id]`],
  )
}
