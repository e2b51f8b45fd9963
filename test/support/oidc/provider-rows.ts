type Row = Record<string, unknown> & { uid?: string; grantId?: string; consumed?: number }

const TOKENS = ['AccessToken', 'RefreshToken', 'AuthorizationCode']

/** Where the provider of the tests keeps its things: one map for each kind. */
export function createAdapter(): { Adapter: unknown; revokeTokens(): void } {
  const kinds = new Map<string, Map<string, Row>>()
  const rowsOf = (kind: string): Map<string, Row> => {
    const rows = kinds.get(kind) ?? new Map<string, Row>()
    kinds.set(kind, rows)
    return rows
  }
  class Adapter {
    readonly rows: Map<string, Row>
    constructor(kind: string) {
      this.rows = rowsOf(kind)
    }
    async upsert(id: string, row: Row): Promise<void> {
      this.rows.set(id, row)
    }
    async find(id: string): Promise<Row | undefined> {
      return this.rows.get(id)
    }
    async findByUid(uid: string): Promise<Row | undefined> {
      return [...this.rows.values()].find((row) => row.uid === uid)
    }
    async consume(id: string): Promise<void> {
      const row = this.rows.get(id)
      if (row) row.consumed = Math.floor(Date.now() / 1_000)
    }
    async destroy(id: string): Promise<void> {
      this.rows.delete(id)
    }
    async revokeByGrantId(grantId: string): Promise<void> {
      for (const [id, row] of this.rows) if (row.grantId === grantId) this.rows.delete(id)
    }
  }
  return {
    Adapter,
    revokeTokens() {
      for (const kind of TOKENS) rowsOf(kind).clear()
    },
  }
}
