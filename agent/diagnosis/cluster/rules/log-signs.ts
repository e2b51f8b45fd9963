import { type ClusterRule, type Finding, isDatabase, quotesOf } from '../finding.ts'
import { isOfStore, isSaidPlainly, SIGNS } from './known-errors.ts'

const IS_ERROR =
  /error|fail|fatal|exception|denied|refused|timeout|timed out|unavailable|expired|exhausted|too many|slow|panic|no such host|could not|cannot|partition|not found|split/i

/** What programs say of themselves. Victims say it too, so it counts less than what the platform says of an object. */
export const logSigns: ClusterRule = ({ logs, services, workloads }) =>
  [...Map.groupBy(logs, ({ workload }) => workload)].flatMap(([workload, excerpts]): Finding[] => {
    const lines = excerpts.flatMap((excerpt) => excerpt.lines)
    const found = SIGNS.map((sign) => ({
      sign,
      told: lines.filter(({ text }) => sign[1].test(text) && (isSaidPlainly(sign[0]) || IS_ERROR.test(text))),
    })).filter(({ told }) => told.length > 0)
    const [best] = found.toSorted((a, b) => b.sign[2] + Math.min(10, b.told.length) - a.sign[2] - Math.min(10, a.told.length))
    if (!best) return []
    const [cause, , score, words] = best.sign
    const texts = best.told.map(({ text }) => text)
    const inside = new Set([...(services ?? []), ...(workloads ?? [])].map(({ name }) => name))
    const host = calledIn(texts.at(-1) ?? '', inside, workload)
    // Of somebody who is here the platform itself says more than who calls it.
    if (cause === 'dependency_down' && host !== null && inside.has(host)) return []
    const isOutside = cause === 'dependency_down' && host !== null && host.includes('.')
    // One that cannot resolve has a trouble of its own; a name that nobody resolves is the trouble.
    const others = logs.filter(
      (log) => log.workload !== workload && log.lines.some(({ text }) => best.sign[1].test(text) && host !== null && text.includes(host)),
    )
    const isNameOfOther = cause === 'service_dns_resolution_failure' && host !== null && inside.has(host) && others.length > 0
    const unknownName = cause === 'service_dns_resolution_failure' ? unresolvedIn(texts.at(-1) ?? '') : null
    if (unknownName !== null && services !== null && isNowhere(unknownName, inside)) return [wrongAddress(workload, unknownName, texts)]
    // Who is spoken to in a protocol that it does not speak has the wrong one written in front of it.
    const isSpokenTo = cause === 'service_protocol_mismatch' && host !== null && inside.has(host)
    const isWithin = host !== null && inside.has(host) && isOfStore(cause, host)
    return [
      {
        class: cause,
        component: isOutside ? `external/${host}` : isNameOfOther || isSpokenTo || isWithin ? `app/${host}` : `app/${workload}`,
        score: isOutside ? 72 : score,
        words: `${workload} ${words}${isOutside ? `: ${host} is outside of this cluster` : ''}.`,
        quotes: quotesOf(texts.at(-1), ...texts),
        since: best.told[0]?.at ?? null,
      },
    ]
  })

const HOST = /(?:https?:\/\/)?\b([a-z][a-z\d-]*(?:\.[a-z][a-z\d-]*)*)\b/gi
const IS_CODE = /^(com|org|java|javax|net|io|node|rpc)\.|\.(svc|local|go|java|js|ts|py|Server)$|exception|error/i

/** Whom the line is about: somebody who is here by name, else a name of the world outside. */
function calledIn(line: string, inside: ReadonlySet<string>, self: string): string | null {
  const names = [...line.slice(0, 2_000).matchAll(HOST)].map(([, name = '']) => name)
  const outside = names.find((name) => name.includes('.') && !IS_CODE.test(name) && !inside.has(name.split('.')[0] ?? ''))
  return names.find((name) => name !== self && inside.has(name)) ?? outside ?? null
}

const UNRESOLVED = /(?:lookup|resolve(?: host)?:?|ENOTFOUND|EAI_AGAIN|UnknownHostException:|unknown host:?)\s+"?([a-z][a-z\d.-]*)/i

function unresolvedIn(line: string): string | null {
  return UNRESOLVED.exec(line.slice(0, 2_000))?.[1] ?? null
}

/** A name without dots can only be of this namespace, and here nothing is called so. */
function isNowhere(name: string, inside: ReadonlySet<string>): boolean {
  return inside.size > 0 && !name.includes('.') && !inside.has(name)
}

/** A name that cannot resolve, whatever the DNS does: it is written down wrong. */
function wrongAddress(workload: string, name: string, texts: readonly string[]): Finding {
  return {
    class: isDatabase(name) ? 'db_invalid_address' : 'service_env_var_address_mismatch',
    component: `app/${workload}`,
    score: 84,
    words: `${workload} calls ${name}, and nothing here has that name.`,
    quotes: quotesOf(texts.at(-1), ...texts),
    since: null,
  }
}
