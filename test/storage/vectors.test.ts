import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { enableVectors } from '../../storage/vectors.ts'
import { describeDatabases } from '../support/database.ts'

describeDatabases('vectors', (store) => {
  const database = store.perSuite()

  test('says whether the database has them, and does not mind being asked twice', async () => {
    const { db } = database()
    const has = await sql`select 1 from pg_available_extensions where name = 'vector'`.execute(db)
    const vectors = await enableVectors(db)
    expect(vectors.available).toBe(has.rows.length === 1)
    expect(vectors.notice).toMatch(
      vectors.available ? /^pgvector \S+ is available\.$/ : /^pgvector is not available \(.+\): .* full text only\.$/,
    )
    expect(await enableVectors(db)).toEqual(vectors)
  })
})
