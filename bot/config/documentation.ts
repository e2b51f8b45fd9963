import { z } from 'zod'
import type { VariableWords } from './secrets.ts'

/** One setting, as the schema has it. */
export interface SettingWords {
  /** With `[]` for the items of a list. */
  path: string
  words: string | null
  /** What it may be: type and bounds. */
  kind: string
  default: unknown
  env: string | null
}

interface Shape {
  type?: string
  description?: string
  default?: unknown
  env?: string
  enum?: readonly unknown[]
  minimum?: number
  maximum?: number
  maxLength?: number
  maxItems?: number
  minItems?: number
  format?: string
  items?: Shape
  properties?: Readonly<Record<string, Shape>>
  required?: readonly string[]
}

/** Every key of a schema in the order in which it has them, those that hold others included. */
export function settingsOf(schema: z.ZodType): SettingWords[] {
  return walk(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any', reused: 'inline' }) as Shape, '')
}

function walk(shape: Shape, path: string): SettingWords[] {
  return Object.entries(shape.properties ?? {}).flatMap(([key, value]) => {
    const here = path === '' ? key : `${path}.${key}`
    const one = {
      path: here,
      words: value.description ?? null,
      kind: kindOf(value) + (shape.required?.includes(key) ? ', required' : ''),
      default: value.default,
      env: value.env ?? null,
    }
    const inside = value.type === 'array' ? walk(value.items ?? {}, `${here}[]`) : walk(value, here)
    return [one, ...inside]
  })
}

function kindOf(shape: Shape): string {
  const { type, format, items, minimum, maximum, maxLength, maxItems } = shape
  if (shape.enum) return shape.enum.map((value) => `\`${value}\``).join(', ')
  if (type === 'array') {
    const most = maxItems === undefined ? '' : `, ${maxItems} at most`
    return items?.properties ? `list${most}` : `list of ${kindOf(items ?? {})}${most}`
  }
  if (type === 'integer' || type === 'number') return `${type === 'integer' ? 'whole number' : 'number'}, ${minimum} to ${maximum}`
  if (type === 'boolean') return '`true` or `false`'
  if (type === 'object') return shape.properties ? 'section' : 'map of texts'
  if (format === 'uri') return 'address'
  return maxLength === undefined ? 'text' : `text, ${maxLength} characters at most`
}

const HEAD = `# Configuration

Made by \`npx steadyhand config docs\` from the schemas that read the settings; a test compares the two. \`steadyhand.example.yaml\` and \`.env.example\` show both in use, and \`npx steadyhand doctor\` checks yours.

Settings come from \`steadyhand.yaml\` where it is started, or the file that \`STEADYHAND_CONFIG\` names, and from the environment, which wins. A key that does not exist is an error that says which one may have been meant; so
is a slip in a variable that begins with \`STEADYHAND_\` or \`OIDC_\`. Every variable marked *secret* is also read from the file that \`NAME_FILE\` names, which holds nothing else; setting both is an error.
`

/** The whole documentation of the settings, in Markdown. */
export function settingsDocument(schema: z.ZodType, variables: VariableWords): string {
  const settings = settingsOf(schema)
  const byEnv = settings.flatMap(({ path, words, env }) => (env === null ? [] : [[env, { words: words ?? '', key: path }] as const]))
  const secret = (name: string): boolean => variables[name]?.secret === true
  const all = new Map<string, { words: string; key?: string }>([...byEnv, ...Object.entries(variables)])
  return [
    HEAD,
    '## The settings file',
    '',
    '| key | what it is | value | default | variable |',
    '|---|---|---|---|---|',
    ...settings.map(({ path, words, kind, default: given, env }) =>
      row([`\`${path}\``, words ?? '', kind, given === undefined ? '' : `\`${JSON.stringify(given)}\``, env === null ? '' : `\`${env}\``]),
    ),
    '',
    '## The environment',
    '',
    '| variable | what it is | key in the file |',
    '|---|---|---|',
    ...[...all]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, { words, key }]) =>
        row([`\`${name}\`${secret(name) ? ' *secret*' : ''}`, words, key === undefined ? '' : `\`${key}\``]),
      ),
    '',
  ].join('\n')
}

function row(cells: readonly string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |`
}
