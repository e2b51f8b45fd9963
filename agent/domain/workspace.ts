import type { DataKind } from './model-data.ts'
import type { RoleHolder } from './principal.ts'

/**
 * A team: what it looks after, who is in it and where it talks. What two lists name is meant together: these services in these environments. Null is
 * every one. Names may hold `*` for any characters; upper and lower case are the same.
 */
export interface Workspace {
  name: string
  services: readonly string[] | null
  environments: readonly string[] | null
  /** What may be read of its services. */
  data: readonly DataKind[]
  /** Ids of people. */
  people: readonly string[]
  /** Names of API keys. */
  keys: readonly string[]
  /** Ids of Slack channels; the first is where its incidents are shown. */
  channels: readonly string[]
}

/** What belongs to workspaces: a service where it runs, and so an incident. */
export interface Located {
  service: string
  environment: string
}

/** Who asks. Nobody in particular, and a key without a name, belong to no workspace. */
export type Asker = { kind: 'person'; id: string; isAdmin: boolean } | { kind: 'key'; name: string } | { kind: 'nobody' }

/** Who is an admin of some environments only sees no more than others do. */
export function askerOf(person: Pick<RoleHolder, 'id' | 'everywhere'> | null): Asker {
  return person === null ? { kind: 'nobody' } : { kind: 'person', id: person.id, isAdmin: person.everywhere.includes('admin') }
}

type Reach = 'everything' | readonly Workspace[]

/** What is seen: by who asks and, at the same time, in the place where the answer is read. */
export interface Sight {
  asker: Reach
  place: Reach
}

/**
 * What somebody sees in a place. While there are no workspaces everybody sees everything; otherwise what belongs to none is seen by admins alone.
 *
 * @param channel the Slack channel where others read along; null where only the asker does
 */
export function sightOf(workspaces: readonly Workspace[], asker: Asker, channel: string | null): Sight {
  if (workspaces.length === 0) return { asker: 'everything', place: 'everything' }
  return {
    asker: asker.kind === 'person' && asker.isAdmin ? 'everything' : workspaces.filter((each) => holds(each, asker)),
    place: channel === null ? 'everything' : workspaces.filter(({ channels }) => channels.includes(channel)),
  }
}

/** What anybody sees who reads along in a channel. */
export function sightIn(workspaces: readonly Workspace[], channel: string): Sight {
  return { ...sightOf(workspaces, { kind: 'nobody' }, channel), asker: 'everything' }
}

export function seesEverything({ asker, place }: Sight): boolean {
  return asker === 'everything' && place === 'everything'
}

/** The one question of access: whether a thing is seen, and of it data of this kind, where one is named. */
export function sees({ asker, place }: Sight, thing: Located, kind?: DataKind): boolean {
  return [asker, place].every((reach) => reach === 'everything' || reach.some((each) => owns(each, thing) && mayRead(each, kind)))
}

/** Whether anything of an environment could be seen. */
export function seesEnvironment({ asker, place }: Sight, environment: string): boolean {
  return [asker, place].every((reach) => reach === 'everything' || reach.some(({ environments }) => isNamed(environments, environment)))
}

/** Whether a freeze is seen: '*', 'env:NAME' or 'resource:PROVIDER/ENVIRONMENT/KIND/NAME'. */
export function seesScope(sight: Sight, scope: string): boolean {
  if (scope === '*') return true
  if (scope.startsWith('env:')) return seesEnvironment(sight, scope.slice('env:'.length))
  const frozen = resourceOf(scope)
  return frozen !== null && sees(sight, frozen)
}

function resourceOf(scope: string): Located | null {
  const [, environment, , service] = scope.slice('resource:'.length).split('/')
  return scope.startsWith('resource:') && environment !== undefined && service !== undefined ? { service, environment } : null
}

/** The workspaces that a thing belongs to. */
export function ownersOf(workspaces: readonly Workspace[], thing: Located): Workspace[] {
  return workspaces.filter((each) => owns(each, thing))
}

/** Where a thing is shown: the first channel of the first of its workspaces that has one; null when none has. `usual` while there are no workspaces. */
export function channelOf(workspaces: readonly Workspace[], thing: Located, usual: string): string | null {
  if (workspaces.length === 0) return usual
  return ownersOf(workspaces, thing).flatMap(({ channels }) => channels)[0] ?? null
}

/** Where a freeze is told: of one thing where that is shown, any other in the usual channel where everybody may know of it who reads along there. */
export function channelOfScope(workspaces: readonly Workspace[], scope: string, usual: string): string | null {
  const frozen = resourceOf(scope)
  if (frozen !== null) return channelOf(workspaces, frozen, usual)
  return isOfNone(workspaces, usual) || seesScope(sightIn(workspaces, usual), scope) ? usual : null
}

/** Whether a channel is no team's: then it is that of whoever runs Steadyhand. */
export function isOfNone(workspaces: readonly Workspace[], channel: string): boolean {
  return workspaces.every(({ channels }) => !channels.includes(channel))
}

/** Whether whoever sees the one sees the other. */
export function haveSameOwners(workspaces: readonly Workspace[], one: Located, other: Located): boolean {
  return workspaces.every((each) => owns(each, one) === owns(each, other))
}

/** Whether everybody who may see the first may also see, of the second, data of this kind. What belongs to no workspace is read by admins alone. */
export function isForReadersOf(workspaces: readonly Workspace[], read: Located, thing: Located, kind?: DataKind): boolean {
  return ownersOf(workspaces, read).every((each) => owns(each, thing) && mayRead(each, kind))
}

function holds({ people, keys }: Workspace, asker: Asker): boolean {
  return (asker.kind === 'person' && people.includes(asker.id)) || (asker.kind === 'key' && keys.includes(asker.name))
}

function owns({ services, environments }: Workspace, { service, environment }: Located): boolean {
  return isNamed(services, service) && isNamed(environments, environment)
}

function mayRead({ data }: Workspace, kind: DataKind | undefined): boolean {
  return kind === undefined || data.includes(kind)
}

function isNamed(patterns: readonly string[] | null, name: string): boolean {
  return patterns === null || patterns.some((pattern) => fits(pattern.toLowerCase(), name.toLowerCase()))
}

/** Piece by piece between the stars: no expression is made of what somebody wrote, and no name takes long. */
function fits(pattern: string, name: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  const last = rest.pop()
  if (last === undefined) return pattern === name
  if (!name.startsWith(first) || !name.endsWith(last) || name.length < first.length + last.length) return false
  const end = name.length - last.length
  let at = first.length
  for (const piece of rest) {
    const found = name.indexOf(piece, at)
    if (found === -1 || found + piece.length > end) return false
    at = found + piece.length
  }
  return true
}
