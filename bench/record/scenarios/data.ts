import type { Fault, Scenarios, Target } from '../scenario.ts'
import { firing } from '../told.ts'
import { victims } from './start.ts'

export const dataScenarios: Scenarios = {
  db_invalid_credentials: (target) =>
    failing(target, [
      'FATAL: password authentication failed for user "orders"',
      'org.postgresql.util.PSQLException: FATAL: password authentication failed for user "stay"',
      'MongoServerError: Authentication failed. (user timeline)',
    ]),
  mysql_invalid_credentials: (target) =>
    failing(target, [
      "Error 1045 (28000): Access denied for user 'store'@'10.244.1.9' (using password: YES)",
      "java.sql.SQLException: Access denied for user 'stay'@'%' (using password: YES)",
      "ER_ACCESS_DENIED_ERROR: Access denied for user 'chirp'@'10.244.2.2'",
    ]),
  mysql_invalid_port: (target) => ({
    ...failing(target, [
      'dial tcp 10.0.4.4:3307: connect: connection refused (mysql)',
      'com.mysql.cj.jdbc.exceptions.CommunicationsException: Communications link failure: mysql:3307',
      'connect ECONNREFUSED 10.0.4.4:3308 mysql',
    ]),
    changes: {
      [target.app.name]: {
        container: {
          env: [
            { name: 'MYSQL_HOST', value: 'mysql' },
            { name: 'MYSQL_PORT', value: target.pick(['3307', '3307', '3308']) },
          ],
        },
      },
    },
    objects: mysql(),
  }),
  db_invalid_address: (target) => ({
    ...failing(target, [
      'dial tcp: lookup postgres-main: no such host',
      'java.net.UnknownHostException: pg-stay',
      'getaddrinfo ENOTFOUND mongo-timeline',
    ]),
    changes: {
      [target.app.name]: {
        container: {
          env: [
            {
              name: target.pick(['DATABASE_URL', 'SPRING_DATASOURCE_URL', 'MONGO_HOST']),
              value: target.pick(['postgres://postgres-main:5432/store', 'jdbc:postgresql://pg-stay:5432/stay', 'mongo-timeline:27017']),
            },
          ],
        },
      },
    },
  }),
  db_connection_exhaustion: (target) =>
    failing(target, [
      'FATAL: remaining connection slots are reserved for roles with the SUPERUSER attribute',
      'FATAL: sorry, too many clients already',
      'ER_CON_COUNT_ERROR: Too many connections',
    ]),
  db_read_only: (target) =>
    failing(target, [
      'cannot execute INSERT in a read-only transaction',
      'The MySQL server is running with the --read-only option so it cannot execute this statement',
      "READONLY You can't write against a read only replica.",
    ]),
  db_lock_contention: (target) =>
    failing(target, [
      'pq: could not obtain lock on row in relation "carts"',
      'org.postgresql.util.PSQLException: ERROR: deadlock detected. Process 4211 waits for ShareLock on transaction 88121',
      'SequelizeDatabaseError: Lock wait timeout exceeded; try restarting transaction',
    ]),
  db_replication_lag: (target) =>
    failing(target, [
      'stale read refused: replication lag of 212s is more than 30s',
      'org.postgresql.util.PSQLException: ERROR: canceling statement due to conflict with recovery',
      'MongoServerError: the secondary is 95 seconds behind its primary',
    ]),
  db_storage_full: (target) =>
    failing(target, [
      'pq: could not extend file "base/16401/16455": No space left on device',
      "java.sql.SQLException: The table 'bookings' is full",
      'ResponseError: cluster_block_exception: disk usage exceeded flood-stage watermark, the index is read-only',
    ]),
  db_failover: (target) =>
    failing(target, [
      'redis: MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to no',
      'com.mongodb.MongoNotPrimaryException: Command failed with error 10107 (NotWritablePrimary)',
      'MongoServerError: PrimarySteppedDown: the primary stepped down while the write waited',
    ]),
  db_checkpoint_storm: (target) =>
    failing(target, [
      'checkpoints are occurring too frequently (11 seconds apart)',
      'InnoDB: page_cleaner: 1000ms intended loop took 9241ms. The settings might not be optimal.',
      'checkpoints are occurring too frequently (4 seconds apart): consider increasing max_wal_size',
    ]),
  cache_eviction_or_stampede: (target) =>
    failing(target, [
      "OOM command not allowed when used memory > 'maxmemory'.",
      'cache hit ratio fell to 0.11: nine of ten reads go to the database',
      'evicted 48211 keys within a minute, the database is asked instead',
    ]),
  queue_backlog: (target) =>
    failing(target, [
      'consumer group billing: lag=48210 on topic invoices, and growing',
      'queue stay.mails: 120394 messages waiting, one consumer',
      'job queue thumbnails is full, depth 50000',
    ]),
  deadlock_or_hang: (target) =>
    failing(target, [
      'fatal error: all goroutines are asleep - deadlock!',
      'Found one Java-level deadlock: "http-worker-3" waits to lock monitor 0x7f12, which is held by "http-worker-9"',
      'watchdog: the event loop was blocked for 61200 ms',
    ]),
  retry_storm: (target) =>
    failing(target, [
      'retry budget exhausted: 9 of 10 calls are retries',
      'too many retries in flight (4096), new calls are refused',
      'retry storm: every client tries five times',
    ]),
  certificate_expired: (target) =>
    failing(target, [
      'x509: certificate has expired or is not yet valid: current time is after 2026-11-21T00:00:00Z',
      'javax.net.ssl.SSLHandshakeException: PKIX path validation failed: certificate expired on 20261121',
      'CERT_HAS_EXPIRED: certificate has expired',
    ]),
  rate_limited: (target) =>
    failing(target, [
      'POST https://api.bank.example/charge: 429 Too Many Requests',
      'provider answered 429: rate limit exceeded, retry after 30s',
      'HTTP 429 (too many requests) from api.media.example',
    ]),
  resolved_by_itself: (target) => ({
    component: `namespace/${target.system.namespace}`,
    question: target.pick([`${target.app.name} restarted half an hour ago.`, 'There were errors 40 minutes ago.', 'What was that?']),
    events: [
      {
        about: { app: target.app.name },
        reason: 'BackOff',
        message: 'Back-off restarting failed container main in pod main',
        first: 50,
        last: 38,
        count: 5,
      },
    ],
    logs: { [target.app.name]: [target.system.line('INFO', 'connection to the store restored, all requests are served')] },
  }),
  dependency_down: (target) => {
    const host = target.pick(['api.bank.example', 'maps.example', 'push.example'])
    return {
      ...failing(target, [
        `POST https://${host}/v1: 503 Service Unavailable`,
        `${host}:443: connection timed out`,
        `upstream ${host} returned 502 Bad Gateway`,
      ]),
      component: `external/${host}`,
      answers: [firing(target, 'OutboundErrors', `calls to ${host} fail`, { host })],
    }
  },
}

/** Words of one language each: the program's own. */
function failing(target: Target, errors: readonly [string, string, string]): Fault {
  const { app, system } = target
  const error = errors[target.variant]
  return {
    component: `app/${app.name}`,
    question: target.pick([
      `${target.callers[0]?.name ?? app.name} answers errors.`,
      'Requests fail since this morning.',
      `What is wrong with ${app.name}?`,
    ]),
    logs: {
      ...victims(target, 'status 500'),
      [app.name]: [system.line('INFO', 'started'), system.line('ERROR', error), system.line('ERROR', error)],
    },
  }
}

/** A database that is well and listens where databases of its kind do. */
function mysql(): object[] {
  const labels = { app: 'mysql' }
  const container = { name: 'main', image: 'mysql:8.4', ports: [{ containerPort: 3306 }] }
  return [
    {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'mysql' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [container] } } },
    },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'mysql' }, spec: { selector: labels, ports: [{ port: 3306 }] } },
  ]
}
