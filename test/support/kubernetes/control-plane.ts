import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { temporaryFolder } from '../peer-process.ts'
import type { Missing } from '../peers.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '..', '..', '..')

/** A real control plane, by the kubeconfig of somebody who may do everything there. */
export interface ControlPlane {
  kubeconfig: string
  /** Kubeconfigs of users without rights, beside the admin's; null where the cluster is somebody else's. */
  user(name: 'sre' | 'viewer'): string | null
  stop(): Promise<void>
}

/** The cluster that KUBECONFIG names, else one by up-kube.sh in PEERS_DIR, if what it starts was built. */
export async function startControlPlane(): Promise<ControlPlane | Missing> {
  const given = process.env['KUBECONFIG']
  if (given !== undefined) return { kubeconfig: given, user: () => null, stop: async () => {} }
  const script = join(process.env['PEERS_DIR'] ?? join(root, '..', 'shared', 'peers'), 'up-kube.sh')
  const built = join(process.env['PEERS_CACHE'] ?? '/var/tmp/steadyhand-peers', 'kube', 'etcd')
  if (!existsSync(script)) return { missing: `a Kubernetes control plane (KUBECONFIG, or ${script})` }
  if (!existsSync(built)) return { missing: `a Kubernetes control plane (KUBECONFIG, or build it with build-kube.sh beside ${script})` }
  const folder = temporaryFolder()
  const { stdout } = await run('bash', [script, folder.path])
  return {
    kubeconfig: stdout.trim(),
    user: (name) => join(folder.path, `${name}.kubeconfig`),
    async stop() {
      await run('bash', [script, '--down', folder.path])
      folder.remove()
    },
  }
}
