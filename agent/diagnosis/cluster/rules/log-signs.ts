import type { FaultClass } from '../../../domain/fault-classes.ts'
import { type ClusterRule, type Finding, isDatabase, quotesOf } from '../finding.ts'

/** Errors that name their cause. The one that occurs most is the sign, the latest line the quote. */
const SIGNS: readonly (readonly [FaultClass, RegExp, number, string])[] = [
  [
    'service_dns_resolution_failure',
    /no such host|could not resolve|name or service not known|NXDOMAIN|getaddrinfo|temporary failure in name resolution|dns (lookup|resolution) (failed|timeout)|failed to resolve|UnknownHostException|server misbehaving/i,
    84,
    'cannot resolve the name of what it calls (DNS)',
  ],
  [
    'mysql_invalid_credentials',
    /access denied for user '|ER_ACCESS_DENIED/i,
    87,
    'is refused by its MySQL database: the user or the password is wrong',
  ],
  [
    'db_invalid_credentials',
    /access denied for user|password authentication failed|authentication failed.*(user|role|database)|MongoServerError: Authentication failed/i,
    86,
    'is refused by its database: the user or the password is wrong',
  ],
  [
    'db_connection_exhaustion',
    /too many connections|too many clients already|remaining connection slots are reserved|connection limit exceeded|ER_CON_COUNT/i,
    84,
    'gets no connection: its database has too many',
  ],
  [
    'db_read_only',
    /read-only transaction|--read-only option|database is read-only|READONLY You can't write/i,
    84,
    'may not write: its database is read-only',
  ],
  [
    'connection_pool_exhausted',
    /pool (timeout|exhausted)|pool.{0,40}connection is not available|unable to acquire.*connection|timeout.*(acquire|pool)|QueuePool limit/i,
    80,
    'finds no free connection in its own pool',
  ],
  [
    'thread_or_handle_exhaustion',
    /too many open files|EMFILE|unable to create (new )?(native )?thread|can't start new thread/i,
    82,
    'has used up its file handles or threads',
  ],
  ['log_volume_full', /no space left on device|ENOSPC|disk quota exceeded/i, 80, 'cannot write: no space left'],
  [
    'certificate_expired',
    /certificate (has )?expired|x509: certificate has expired|CERT_HAS_EXPIRED/i,
    86,
    'meets a certificate that has expired',
  ],
  ['rate_limited', /\b429\b.*(too many|rate)|rate limit(ed| exceeded)|too many requests/i, 74, 'is refused for asking too often (429)'],
  [
    'bad_config_change',
    /failed to apply.*not found|namespaces? "[^"]+" not found/i,
    84,
    'cannot be applied as it is written down: it names something that does not exist',
  ],
  [
    'pod_network_loss',
    /partitions?_detected"?: ?true|network partition(s)? detected|split.?brain/i,
    82,
    'has nodes that do not see each other (a network partition)',
  ],
  [
    'service_protocol_mismatch',
    /malformed HTTP|server preface|frame too large|first record does not look like a TLS|HTTP response to HTTPS|wrong version number|invalid http version|unsupported protocol/i,
    78,
    'is answered in another protocol than it speaks',
  ],
  ['db_slow_query', /slow query|query.*took \d{4,}|duration: \d{4,}(\.\d+)? ms/i, 70, 'waits for a slow database query'],
  [
    'dependency_down',
    /connection refused|ECONNREFUSED|connect(ion)? timed? ?out|ETIMEDOUT|upstream connect error|no route to host|communications link failure|\b50[234]\b.{0,30}(unavailable|bad gateway|gateway timeout)|(returned|answered|status) 50[234]\b/i,
    60,
    'does not reach what it calls',
  ],
]

const IS_ERROR =
  /error|fail|fatal|exception|denied|refused|timeout|timed out|unavailable|expired|exhausted|too many|slow|panic|no such host|could not|cannot|partition|not found|split/i

/** What programs say of themselves. Victims say it too, so it counts less than what the platform says of an object. */
export const logSigns: ClusterRule = ({ logs, services, workloads }) =>
  [...Map.groupBy(logs, ({ workload }) => workload)].flatMap(([workload, excerpts]): Finding[] => {
    const lines = excerpts.flatMap((excerpt) => excerpt.lines).filter(({ text }) => IS_ERROR.test(text))
    const found = SIGNS.map((sign) => ({ sign, told: lines.filter(({ text }) => sign[1].test(text)) })).filter(
      ({ told }) => told.length > 0,
    )
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
    return [
      {
        class: cause,
        component: isOutside ? `external/${host}` : isNameOfOther || isSpokenTo ? `app/${host}` : `app/${workload}`,
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
