import { type Sight, sees } from '../domain/workspace.ts'
import type { RecordsStore } from '../ports.ts'

export function seenRecords(records: RecordsStore, sight: Sight): RecordsStore {
  return {
    ...records,
    async incidents(query) {
      const { items, isAll } = await records.incidents(query)
      return { items: items.filter((incident) => sees(sight, incident)), isAll }
    },
  }
}
