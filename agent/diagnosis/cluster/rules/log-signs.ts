import type { FaultClass } from '../../../domain/fault-classes.ts'
import { type ClusterRule, type Finding, quotesOf } from '../finding.ts'

/** Errors that name their cause. The one that occurs most is the sign, the latest line the quote. */
const SIGNS: readonly (readonly [FaultClass, RegExp, number, string])[] = [
  [
    'service_dns_resolution_failure',
    /no such host|could not resolve|name or service not known|NXDOMAIN|getaddrinfo|temporary failure in name resolution|dns (lookup|resolution) (failed|timeout)|failed to resolve|UnknownHostException|server misbehaving/i,
    84,
    'cannot resolve the name of what it calls (DNS)',
  ],
  [
    'db_invalid_credentials',
    /access denied for user|password authentication failed|authentication failed.*(user|role|database)/i,
    86,
    'is refused by its database: the user or the password is wrong',
  ],
  [
    'db_connection_exhaustion',
    /too many connections|remaining connection slots are reserved|connection limit exceeded/i,
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
    /pool (timeout|exhausted)|unable to acquire.*connection|timeout.*(acquire|pool)|QueuePool limit/i,
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
  ['db_slow_query', /slow query|query.*took \d{4,}|duration: \d{4,}(\.\d+)? ms/i, 70, 'waits for a slow database query'],
  [
    'dependency_down',
    /connection refused|ECONNREFUSED|connect(ion)? timed? ?out|ETIMEDOUT|upstream connect error|no route to host|communications link failure/i,
    60,
    'does not reach what it calls',
  ],
]

const IS_ERROR =
  /error|fail|fatal|exception|denied|refused|timeout|timed out|unavailable|expired|exhausted|too many|slow|panic|no such host|could not|cannot|partition|not found|split/i

/** What programs say of themselves. Victims say it too, so it counts less than what the platform says of an object. */
export const logSigns: ClusterRule = ({ logs }) =>
  [...Map.groupBy(logs, ({ workload }) => workload)].flatMap(([workload, excerpts]): Finding[] => {
    const lines = excerpts.flatMap((excerpt) => excerpt.lines).filter(({ text }) => IS_ERROR.test(text))
    const found = SIGNS.map((sign) => ({ sign, told: lines.filter(({ text }) => sign[1].test(text)) })).filter(
      ({ told }) => told.length > 0,
    )
    const [best] = found.toSorted((a, b) => b.sign[2] + Math.min(10, b.told.length) - a.sign[2] - Math.min(10, a.told.length))
    if (!best) return []
    const [cause, , score, words] = best.sign
    const texts = best.told.map(({ text }) => text)
    return [
      {
        class: cause,
        component: `app/${workload}`,
        score,
        words: `${workload} ${words}.`,
        quotes: quotesOf(texts.at(-1), ...texts),
        since: best.told[0]?.at ?? null,
      },
    ]
  })
