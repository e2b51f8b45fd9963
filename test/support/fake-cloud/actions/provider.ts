import type { ActionProvider } from '../../../../agent/actions/catalog.ts'
import type { CloudClient } from '../client.ts'
import { AWS_ROWS } from './aws.ts'
import { HOST_ROWS } from './host.ts'
import { KUBERNETES_ROWS } from './kubernetes.ts'
import { type CloudRow, createCloudAction, ENVIRONMENT } from './row.ts'

/** Every row of the pattern table. */
export const ROWS: readonly CloudRow[] = [...KUBERNETES_ROWS, ...AWS_ROWS, ...HOST_ROWS]
export const KINDS: readonly string[] = ROWS.map(({ definition }) => definition.kind)

/** Kinds whose API neither knows a token nor a condition: a call that arrives twice is carried out twice. */
export const UNGUARDED: ReadonlySet<string> = new Set(['ecs.force-deploy', 'ec2.reboot'])

export function rowOf(kind: string): CloudRow {
  const row = ROWS.find(({ definition }) => definition.kind === kind)
  if (!row) throw new Error(`there is no row ${kind}`)
  return row
}

/** The fake cloud's part of the catalogue. */
export function createCloudProvider(client: CloudClient): ActionProvider {
  return { id: 'fake-cloud', environments: [ENVIRONMENT], actions: ROWS.map((row) => createCloudAction(row, client)), metrics: null }
}
