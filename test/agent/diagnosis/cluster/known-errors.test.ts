import { expect, test } from 'vitest'
import { diagnoseCluster } from '../../../../agent/diagnosis/cluster/diagnose-cluster.ts'
import type { ClusterState } from '../../../../integrations/ports/cluster-state.ts'
import { clusterState, podState, workloadState } from '../../../support/cluster-states.ts'

const causeOf = (known: Partial<ClusterState>): [string, string] => {
  const [first] = diagnoseCluster(clusterState(known))
  return [first?.class ?? '', first?.component ?? '']
}
const lines = (...texts: string[]) => [
  { workload: 'pay', pod: null, container: null, level: 'all' as const, lines: texts.map((text) => ({ at: null, text })) },
]

test.each([
  ['ERROR: could not extend file "base/16384/2619": No space left on device', 'db_storage_full'],
  ["ERROR 1114 (HY000): The table 'orders' is full", 'db_storage_full'],
  ['ERROR 1205 (HY000): Lock wait timeout exceeded; try restarting transaction', 'db_lock_contention'],
  ['LOG: process 812 still waiting for ShareLock on transaction 9001 after 1000.1 ms', 'db_lock_contention'],
  ['ERROR: canceling statement due to conflict with recovery', 'db_replication_lag'],
  ['replica orders-ro is 340 s behind its primary', 'db_replication_lag'],
  ['MongoServerError: NotWritablePrimary: not primary', 'db_failover'],
  ['LOG: checkpoints are occurring too frequently (9 seconds apart)', 'db_checkpoint_storm'],
  ["OOM command not allowed when used memory > 'maxmemory'.", 'cache_eviction_or_stampede'],
  ['consumer group billing: lag=48210 on topic invoices', 'queue_backlog'],
  ['fatal error: all goroutines are asleep - deadlock!', 'deadlock_or_hang'],
  ['WARN Thread worker-3 has been blocked for 61000 ms, time limit is 60000 ms', 'deadlock_or_hang'],
  ['upstream retry budget exhausted, failing fast', 'retry_storm'],
  ['mkdir /srv/cache/a1: no inodes left', 'inode_exhausted'],
  ['write /srv/data/segment-9: no space left on device', 'disk_full'],
  ['write /var/log/pay/pay.txt: no space left on device', 'log_volume_full'],
  ['IOException: No space left on device', 'log_volume_full'],
])('a program that names its trouble: %s', (text, cause) => {
  expect(causeOf({ pods: [podState('pay')], logs: lines('started', text, text) })).toEqual([cause, 'app/pay'])
})

test('a trouble inside of a database is of the database, whoever tells of it; one of a queue is of who does not keep up', () => {
  const workloads = ['pay', 'pay-db', 'jobs-queue'].map((name) => workloadState(name))
  const told = (text: string) => causeOf({ pods: [podState('pay')], workloads, logs: lines(text) })
  expect(told('pay-db: Deadlock found when trying to get lock; try restarting transaction')).toEqual(['db_lock_contention', 'app/pay-db'])
  expect(told('jobs-queue: backlog of 12000 messages waiting')).toEqual(['queue_backlog', 'app/pay'])
})

test.each([
  'replication is healthy',
  'deadlock detector started',
  'cache hit ratio 0.98',
  'lag=0 on topic invoices',
  'queue depth 12',
  '12 % of inodes used',
])('what is as usual is no sign: %s', (text) =>
  expect(causeOf({ pods: [podState('pay')], logs: lines(text) })[0]).not.toMatch(/^(db_|cache_|queue_|deadlock|inode)/),
)
