import { delimiter } from 'node:path'
import { KubeConfig } from '@kubernetes/client-node'

/** An account at a cluster, or in words why there is none. */
export type Connection = { ok: true; config: KubeConfig; context: string } | { ok: false; words: string }

/**
 * Reads a kubeconfig (several paths as KUBECONFIG joins them; null for the account that a pod has in its own cluster) and takes one context. What
 * is wrong with it is said by whatever is asked, and by doctor: a broken file must not keep the rest from starting.
 */
export function openConnection(paths: string | null, context: string | null): Connection {
  const config = new KubeConfig()
  try {
    if (paths === null) config.loadFromCluster()
    else for (const path of paths.split(delimiter).filter((each) => each !== '')) merge(config, path)
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error)
    return { ok: false, words: `the kubeconfig ${paths ?? 'of the pod'} cannot be read (${words.slice(0, 200)})` }
  }
  if (context !== null) config.setCurrentContext(context)
  const name = config.getCurrentContext()
  if (config.getContextObject(name) && config.getCurrentCluster()) return { ok: true, config, context: name }
  const known = config.getContexts().map((each) => each.name)
  return {
    ok: false,
    words: `the kubeconfig has no context ${name || '(none is named)'}; it has ${known.slice(0, 20).join(', ') || 'none'}`,
  }
}

function merge(config: KubeConfig, path: string): void {
  const read = new KubeConfig()
  read.loadFromFile(path)
  if (config.getContexts().length === 0)
    config.loadFromOptions({ clusters: [], users: [], contexts: [], currentContext: read.getCurrentContext() })
  config.mergeConfig(read, true)
}
