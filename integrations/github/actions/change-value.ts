import { z } from 'zod'
import { IntegrationError } from '../../errors.ts'
import type { Action, ActionDefinition, Parameters } from '../../ports/action.ts'
import { ID } from '../client.ts'
import { blobSha, type GitReader } from '../git-objects.ts'
import { demandPath, type Edit, objectionToPath } from './file-edits.ts'
import { createPullRequest, type FindPlace, inShell } from './pull-request.ts'
import { REQUESTED } from './requested.ts'
import { nameBeside, type Value, withValue } from './yaml-value.ts'

const FILE = /\.(ya?ml|json)$/i
/** Nothing that is secret belongs into a repository, nor on a card. */
const SECRET = /pass(word|wd|phrase)?$|secret|token|credential|(api|access|private|encryption)[-_]?key/i

const definition: ActionDefinition = {
  kind: 'github.change-value',
  version: 1,
  description:
    'Opens a pull request that changes one value of a YAML or JSON file, by its path in the document: do change-value payments file=deploy/values.yaml path=resources.limits.memory to=512Mi. People merge it.',
  parameters: z.strictObject({
    file: z
      .string()
      .max(120)
      .regex(FILE, 'must be a YAML or JSON file')
      .refine((file) => objectionToPath(file) === null, 'must be a path in the repository, and no file that it runs by itself'),
    path: z
      .string()
      .max(70)
      .regex(/^[\w/@-]+(\.[\w/@-]+)*$/, 'must be keys joined by dots, as resources.limits.memory')
      .refine((path) => !path.split('.').some((key) => SECRET.test(key)), 'must not be a secret'),
    to: z.union([
      z
        .string()
        .min(1)
        .max(150)
        .regex(/^[\x20-\x7e]*$/, 'must be plain text on one line'),
      z.int(),
      z.boolean(),
    ]),
    base: z.string().regex(/^[0-9a-f]{40}([0-9a-f]{24})?$/, 'must be the whole name of a commit'),
  }),
  ...REQUESTED,
}

export function createChangeValue(find: FindPlace): Action {
  return createPullRequest(find, {
    definition,
    title: ({ file, path, to }) => `Set ${String(path)} to ${String(to)} in ${String(file)}`,
    slug: (parameters) => `set-${blobSha(JSON.stringify(wantedOf(parameters))).slice(0, 8)}`,
    edit: async (git, base, parameters) => await valueEdit(git, base, parameters),
    manual: ({ file, path, to }) =>
      `yq -i ${inShell(`.${String(path)} = ${JSON.stringify(to)}`)} ${inShell(String(file))} && git commit -am fix`,
    noDefaults: 'A file, a path in it and the new value have to be named.',
  })
}

function wantedOf({ file, path, to }: Parameters): [string, string, Value] {
  return [String(file), String(path), typeof to === 'number' || typeof to === 'boolean' ? to : String(to)]
}

/** The file with the one value replaced. @throws IntegrationError */
async function valueEdit(git: GitReader, base: string, parameters: Parameters): Promise<Edit> {
  const [file, path, to] = wantedOf(parameters)
  demandPath(file)
  const entry = (await git.files(await git.commit(base))).get(file)
  if (entry?.type !== 'blob' || entry.mode === '120000') throw new IntegrationError(ID, 'refused', `there is no file ${file}`)
  const text = await git.text(entry, file)
  if (SECRET.test(nameBeside(text, path) ?? ''))
    throw new IntegrationError(ID, 'refused', `${file}: the value at ${path} is a secret by its name`)
  const replaced = withValue(text, path, to)
  if (!replaced.ok) throw new IntegrationError(ID, 'refused', `${file}: ${replaced.words}`)
  const { line, from, to: written } = replaced
  return {
    files: [{ path: file, mode: entry.mode, after: blobSha(replaced.text), text: replaced.text }],
    lines: [{ field: `${file}:${line} ${path}`, from, to: written }],
  }
}
