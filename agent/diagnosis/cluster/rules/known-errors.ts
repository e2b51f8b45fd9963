import type { FaultClass } from '../../../domain/fault-classes.ts'
import { isDatabase } from '../finding.ts'

/** Errors that name their cause. The one that occurs most is the sign, the latest line the quote. */
export const SIGNS: readonly (readonly [FaultClass, RegExp, number, string])[] = [
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
    'db_storage_full',
    /could not extend file|could not write to file "pg_wal|the table '[^']+' is full|disk is full writing|OutOfDiskSpace|flood.?stage (disk )?watermark/i,
    88,
    'cannot store: its database has no space left',
  ],
  [
    'db_lock_contention',
    /lock wait timeout exceeded|deadlock detected|deadlock found when trying|could not obtain lock|due to lock timeout|ER_LOCK_(WAIT_TIMEOUT|DEADLOCK)|still waiting for \w*Lock on|ORA-00060/i,
    82,
    'waits for locks that others hold in its database',
  ],
  [
    'db_replication_lag',
    /(replica(tion)?|secondary|standby)\b.{0,40}\b(lag|behind)|seconds_behind_(master|source)["':= ]+[1-9]|due to conflict with recovery/i,
    80,
    'reads from a copy of its database that lags behind',
  ],
  [
    'db_failover',
    /NotWritablePrimary|PrimarySteppedDown|NotPrimaryNoSecondaryOk|MASTERDOWN|received promote request|stepping down from primary|failover (started|initiated|in progress)/i,
    80,
    'meets a database that is changing its primary',
  ],
  [
    'db_checkpoint_storm',
    /checkpoints are occurring too frequently|page_cleaner: .{0,40}intended loop took/i,
    80,
    'waits while its database writes checkpoint after checkpoint',
  ],
  [
    'cache_eviction_or_stampede',
    /OOM command not allowed when used memory|cache stampede|hit (ratio|rate).{0,30}(fell|dropped|below)|evict(ed|ing) \d{2,} (keys|entries)/i,
    78,
    'is no longer helped by its cache, which lets go of what it holds',
  ],
  [
    'queue_backlog',
    /consumer.{0,60}\blag\w*\W{0,8}\d{3,}|(queue|backlog|topic).{0,60}(is full|depth\W{0,6}\d{3,}|\d{4,} (messages|jobs|events) (waiting|behind|pending))|memory resource limit alarm/i,
    76,
    'does not keep up with its queue',
  ],
  [
    'deadlock_or_hang',
    /all goroutines are asleep|java-level deadlock|watchdog.{0,60}(no progress|stuck|hung)|(thread|task|event loop)\b.{0,80}\bblocked for (more than )?\d+|no progress (for|since) \d/i,
    82,
    'hangs: it makes no progress any more',
  ],
  [
    'retry_storm',
    /retry budget (is )?(exhausted|exceeded)|retry storm|too many retries (in flight|at once)/i,
    76,
    'is drowned by calls that are tried again and again',
  ],
  [
    'inode_exhausted',
    /(no|out of) (free )?inodes|free inodes\W{0,3}0\b|inodes?.{0,20}\b(9[5-9]|100) ?%/i,
    86,
    'cannot make a file: no inodes are left',
  ],
  [
    'disk_full',
    // Of a file that is no log; what is said of none may be either.
    /(?<![\w./-])\/(?!\S*log)\S{1,400}\W{1,6}(no space left on device|disk quota exceeded)|no space left on device[^/]{0,20}\/(?!\S*log)\S/i,
    84,
    'cannot write its data: no space left',
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

/** What goes on inside of a database or a cache: whoever uses it tells of it too. */
const INSIDE_OF_STORES: readonly FaultClass[] = [
  'db_storage_full',
  'db_lock_contention',
  'db_replication_lag',
  'db_failover',
  'db_checkpoint_storm',
  'cache_eviction_or_stampede',
]

/** Said without a word of failure: the words of these signs are particular enough. */
const SAID_PLAINLY: readonly FaultClass[] = [
  ...INSIDE_OF_STORES,
  'queue_backlog',
  'deadlock_or_hang',
  'retry_storm',
  'inode_exhausted',
  'log_volume_full',
  'disk_full',
]

export function isSaidPlainly(cause: FaultClass): boolean {
  return SAID_PLAINLY.includes(cause)
}

/** Whether a cause that is told of somebody here is a trouble of that somebody: a database or a cache, by its name. */
export function isOfStore(cause: FaultClass, name: string): boolean {
  return INSIDE_OF_STORES.includes(cause) && (isDatabase(name) || /cache|memcached|valkey/i.test(name))
}
