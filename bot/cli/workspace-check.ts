import { ALERTING_PATH, UNKNOWN } from '../../agent/domain/alert.ts'
import { type Located, ownersOf } from '../../agent/domain/workspace.ts'
import type { CheckResult } from '../../integrations/contract.ts'
import type { Settings } from '../config.ts'

const NAMED = 8

/** What belongs to no workspace, and so is seen by admins alone. */
export function examineWorkspaces(
  { workspaces, people, api, heartbeats }: Pick<Settings, 'workspaces' | 'people' | 'api' | 'heartbeats'>,
  services: readonly Located[],
): CheckResult[] {
  if (workspaces.length === 0) return []
  const [members, names] = [new Set(workspaces.flatMap((each) => each.people)), new Set(workspaces.flatMap((each) => each.keys))]
  const isOfNone = (place: Located): boolean => ownersOf(workspaces, place).length === 0
  const talks = workspaces.some(({ channels }) => channels.length > 0)
  const left = [
    ['services', services.filter(isOfNone).map(({ service, environment }) => `${service} in ${environment}`)],
    [
      'heartbeats',
      heartbeats.expected
        .map(({ name, environment }) => ({ name, service: ALERTING_PATH, environment: environment ?? UNKNOWN }))
        .filter(isOfNone)
        .map(({ name, service, environment }) => `${name} (${service} in ${environment})`),
    ],
    [
      'people',
      people
        .filter(({ id, roles, environments }) => !members.has(id) && !(environments === null && roles.includes('admin')))
        .map(({ id }) => id),
    ],
    ['API keys', api.keys.filter(({ name }) => name === null || !names.has(name)).map(({ name }) => name ?? 'one without a name')],
    ['workspaces without a channel', talks ? workspaces.filter((each) => each.channels.length === 0).map(({ name }) => name) : []],
  ] as const
  const head: CheckResult = { name: 'workspaces', status: 'ok', words: workspaces.map(({ name }) => name).join(', '), fix: null }
  return [
    head,
    ...unknownPeople(workspaces, people),
    ...left.flatMap(([what, found]) => (found.length === 0 ? [] : [leftOut(what, found)])),
  ]
}

/** A slip, or somebody whom admins added: those are in the database alone. */
function unknownPeople(workspaces: Settings['workspaces'], people: Settings['people']): CheckResult[] {
  const known = new Set(people.map(({ id }) => id))
  return workspaces.flatMap(({ name, people: named }) =>
    named
      .filter((id) => !known.has(id))
      .map((id) => ({
        name: 'workspaces',
        status: 'warning' as const,
        words: `${name} names ${id}, who is none of the people of the settings`,
        fix: 'Right for somebody whom admins added (say "people"); else correct the id.',
      })),
  )
}

function leftOut(what: string, found: readonly string[]): CheckResult {
  const more = found.length - NAMED
  const named = `${found.slice(0, NAMED).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
  const words = what.startsWith('workspaces') ? `${what}: ${named}: their incidents are in the console only` : `${what} of none: ${named}`
  return { name: 'workspaces', status: 'warning', words, fix: 'Name them in a workspace, or leave them to admins: docs/workspaces.md.' }
}
