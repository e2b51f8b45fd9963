/**
 * What a diagnosis may name, as a closed list: severity, actions, runbooks and statistics refer to these words, and an outside scorer can
 * compare them. `unknown` is a class of its own: it is used rather than a guess.
 */
export const FAULT_CLASSES = {
  image: ['incorrect_image_reference', 'missing_image_pull_secret', 'image_registry_dns_failure'],
  start: [
    'missing_secret_binding',
    'missing_config_map',
    'missing_service_account',
    'volume_mount_permission_denied',
    'service_sidecar_port_conflict',
    'crash_on_start',
  ],
  probes: [
    'liveness_probe_incorrect_port',
    'readiness_probe_incorrect_port',
    'liveness_probe_incorrect_protocol',
    'readiness_probe_incorrect_protocol',
    'liveness_probe_incorrect_timing',
  ],
  scheduling: [
    'cpu_capacity_mismatch',
    'memory_capacity_mismatch',
    'node_selector_mismatch',
    'node_affinity_mismatch',
    'node_cordon_mismatch',
    'taint_toleration_mismatch',
    'pod_anti_affinity_conflict',
    'kube_scheduler_unavailable',
  ],
  storage: [
    'pvc_storage_class_mismatch',
    'pvc_access_mode_mismatch',
    'pvc_capacity_mismatch',
    'pvc_selector_mismatch',
    'pv_binding_occupied',
    'disk_full',
    'inode_exhausted',
    'log_volume_full',
  ],
  admission: [
    'namespace_cpu_quota_exceeded',
    'namespace_memory_quota_exceeded',
    'namespace_pod_quota_exceeded',
    'namespace_service_quota_exceeded',
    'namespace_storage_quota_exceeded',
    'admission_webhook_denied',
  ],
  runtime: [
    'oom_killed',
    'memory_leak',
    'cpu_throttled',
    'pod_cpu_overload',
    'thread_or_handle_exhaustion',
    'connection_pool_exhausted',
    'evicted',
    'deadlock_or_hang',
    'job_stuck',
    'queue_backlog',
  ],
  service: [
    'service_selector_mismatch',
    'service_port_mapping_mismatch',
    'service_protocol_mismatch',
    'service_env_var_address_mismatch',
    'service_dns_resolution_failure',
    'gateway_misroute',
    'deployment_zero_replicas',
    'insufficient_replicas',
  ],
  node: [
    'kubelet_unavailable',
    'containerd_unavailable',
    'kube_proxy_unavailable',
    'node_memory_pressure',
    'node_disk_pressure',
    'node_pid_pressure',
  ],
  network: ['pod_network_delay', 'pod_network_loss', 'node_network_delay', 'node_network_packet_loss', 'network_policy_block'],
  data: [
    'db_invalid_credentials',
    'mysql_invalid_credentials',
    'db_invalid_address',
    'mysql_invalid_port',
    'db_connection_exhaustion',
    'db_read_only',
    'db_lock_contention',
    'db_slow_query',
    'db_replication_lag',
    'db_storage_full',
    'db_failover',
    'db_checkpoint_storm',
    'cache_eviction_or_stampede',
  ],
  change: ['bad_release', 'bad_config_change', 'feature_flag', 'certificate_expired', 'certificate_expiring'],
  load: ['traffic_surge', 'traffic_drop', 'retry_storm', 'rate_limited'],
  outside: ['dependency_down', 'provider_outage'],
  none: ['transient', 'false_alarm', 'resolved_by_itself', 'unknown'],
} as const

export type FaultGroup = keyof typeof FAULT_CLASSES
export type FaultClass = (typeof FAULT_CLASSES)[FaultGroup][number]

/** Every class, group by group. */
export const ALL_FAULT_CLASSES = Object.values(FAULT_CLASSES).flat() as [FaultClass, ...FaultClass[]]
const KNOWN: ReadonlySet<string> = new Set(ALL_FAULT_CLASSES)

export function isFaultClass(text: string): text is FaultClass {
  return KNOWN.has(text)
}
