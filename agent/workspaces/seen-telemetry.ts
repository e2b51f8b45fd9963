import { Refusal } from '../domain/refusal.ts'
import { type Located, type Sight, sees } from '../domain/workspace.ts'
import type { Telemetry } from '../telemetry/telemetry.ts'
import type { Topology } from '../topology/inventory.ts'

/** Over an inventory of what is seen, which knows no other service; and only the kinds of data that may be read of it. */
export function seenTelemetry(telemetry: Telemetry, topology: Topology, sight: Sight): Telemetry {
  const demand = async (service: string, kind: 'metrics' | 'logs'): Promise<void> => {
    const { workloads } = await topology.inventory()
    const found: Located | undefined = workloads.find((each) => each.service.toLowerCase() === service.toLowerCase())
    if (found && !sees(sight, found, kind))
      throw new Refusal('unknown-target', `No ${kind} of ${found.service} are read in this workspace.`)
  }
  return {
    async metric(query) {
      await demand(query.service, 'metrics')
      return await telemetry.metric(query)
    },
    async logs(query) {
      await demand(query.service, 'logs')
      return await telemetry.logs(query)
    },
  }
}
