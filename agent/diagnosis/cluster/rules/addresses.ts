import type { ClusterState, RouteState, ServiceState, WorkloadState } from '../../../../integrations/ports/cluster-state.ts'
import type { FaultClass } from '../../../domain/fault-classes.ts'
import { type ClusterRule, type Finding, isDatabase, quotesOf } from '../finding.ts'

/** What is written down as an address and leads nowhere: in the settings of a caller, and in routes from outside. */
export const addresses: ClusterRule = (state) => {
  const { services, workloads, routes } = state
  if (services === null || services.length === 0) return []
  return [
    ...(workloads ?? []).flatMap((workload) => ofSettings(workload, services, state)),
    ...(routes ?? []).flatMap((route) => ofRoute(route, services)),
    ...state.logs.flatMap(({ workload, lines }) =>
      ofLinkFailure(
        workload,
        lines.map(({ text }) => text),
        services,
      ),
    ),
  ]
}

interface Address {
  variable: string
  host: string
  port: number | null
}

/** Settings that are addresses: `cart:7070`, `http://cart:7070/v1`, `mysql://user@db/x`, or a host and a port in two of them. */
function addressesOf({ template }: WorkloadState): Address[] {
  const env = (template?.containers ?? []).flatMap((container) => container.env)
  const plain = new Map(env.flatMap(({ name, value }) => (value === null ? [] : [[name, value] as const])))
  return [...plain].flatMap(([variable, value]): Address[] => {
    const [, , host, port] = /^(?:jdbc:)?([a-z][\w+]*:\/\/)?(?:[^@/\s]*@)?([a-z][a-z\d.-]*)(?::(\d{2,5}))?(?:[/?]\S*)?$/i.exec(value) ?? []
    if (host === undefined) return []
    const isHost = /_(HOST|HOSTNAME|ADDR|ADDRESS|URL|URI|SERVICE|ENDPOINT)$/i.test(variable) || port !== undefined
    const beside = plain.get(variable.replace(/_(HOST|HOSTNAME|ADDR|ADDRESS)$/i, '_PORT'))
    const told = port ?? (beside !== value && /^\d{2,5}$/.test(beside ?? '') ? beside : undefined)
    return isHost ? [{ variable, host, port: told === undefined ? null : Number(told) }] : []
  })
}

function ofSettings(workload: WorkloadState, services: readonly ServiceState[], state: ClusterState): Finding[] {
  const { workloads, pods } = state
  const lines = state.logs.filter((log) => log.workload === workload.name).flatMap(({ lines }) => lines.map(({ text }) => text))
  return addressesOf(workload).flatMap(({ variable, host, port }): Finding[] => {
    // A name with a dot in it is of another namespace or of the world, unless it ends in this one.
    const own = ['', '.svc', '.svc.cluster.local'].map((end) => `.${state.namespace}${end}`).find((end) => host.endsWith(end)) ?? ''
    const name = host.slice(0, host.length - own.length)
    if (name.includes('.') || name === 'localhost') return []
    const service = services.find((each) => each.name === name)
    const isWrongPort =
      service !== undefined && port !== null && service.ports.length > 0 && !service.ports.some((each) => each.port === port)
    // Not everybody asks for all services: what runs under that name is there, whatever stands before it.
    const runs = [...(workloads ?? []).map((each) => each.name), ...(pods ?? []).map((pod) => pod.workload)].includes(name)
    if ((service !== undefined || runs) && !isWrongPort) return []
    const told = lines.filter((text) => text.includes(name) || (port !== null && text.includes(`:${port}`)))
    const wrong = `${host}${port === null ? '' : `:${port}`}`
    const offered = service?.ports.map((each) => each.port).join(', ')
    const why = isWrongPort ? `${name} offers ${offered}` : `there is no service of that name in ${state.namespace}`
    // Said by a setting alone it may be one that nobody uses.
    const score = told.length > 0 ? 91 : isWrongPort ? 84 : 76
    const words = `${workload.name} is told by ${variable} to call ${wrong}, and ${why}.`
    return [
      {
        class: classOf(variable, host, isWrongPort),
        component: `app/${workload.name}`,
        score,
        words,
        quotes: quotesOf(...told),
        since: null,
      },
    ]
  })
}

function classOf(variable: string, host: string, isWrongPort: boolean): FaultClass {
  const both = `${variable} ${host}`
  if (!isDatabase(both)) return 'service_env_var_address_mismatch'
  return isWrongPort && /mysql|maria/i.test(both) ? 'mysql_invalid_port' : 'db_invalid_address'
}

const LINK_FAILURE = /communications link failure|connection refused|ECONNREFUSED/i

/** A database is called at a port that none of its services offers. */
function ofLinkFailure(workload: string, lines: readonly string[], services: readonly ServiceState[]): Finding[] {
  const told = lines.filter((text) => LINK_FAILURE.test(text) && isDatabase(text))
  const port = told.flatMap((text) => [...text.matchAll(/:(\d{2,5})\b/g)].map(([, digits]) => Number(digits))).at(-1)
  const databases = services.filter(({ name }) => isDatabase(name))
  const isOffered = services.some(({ ports }) => ports.some((each) => each.port === port))
  if (port === undefined || databases.length === 0 || isOffered) return []
  const isMysql = told.some((text) => /mysql|maria/i.test(text)) || databases.every(({ name }) => /mysql|maria/i.test(name))
  const words = `${workload} calls its database at port ${port}, which nobody here offers.`
  const cause: FaultClass = isMysql ? 'mysql_invalid_port' : 'db_invalid_address'
  return [{ class: cause, component: `app/${workload}`, score: 86, words, quotes: quotesOf(told.at(-1)), since: null }]
}

function ofRoute(route: RouteState, services: readonly ServiceState[]): Finding[] {
  return route.rules.flatMap(({ path, host, service, port }): Finding[] => {
    const there = services.find(({ name }) => name === service)
    const from = `${host ?? ''}${path ?? '/'}`
    const common = { class: 'gateway_misroute' as const, component: `app/${route.name}`, quotes: [], since: null }
    if (!there) return [{ ...common, score: 90, words: `${route.name} sends ${from} to ${service}, and there is no such service.` }]
    const isOffered = port === null || there.ports.length === 0 || there.ports.some((each) => each.port === port || each.name === port)
    if (!isOffered)
      return [{ ...common, score: 88, words: `${route.name} sends ${from} to port ${port} of ${service}, which it does not offer.` }]
    const named = services.find(({ name }) => path?.split('/')[1] === name && name !== service)
    return named
      ? [{ ...common, score: 74, words: `${route.name} sends ${from} to ${service}, though there is a service ${named.name}.` }]
      : []
  })
}
