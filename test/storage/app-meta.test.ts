import { expect, test } from 'vitest'
import { createAppMeta } from '../../storage/app-meta.ts'
import { describeDatabases } from '../support/database.ts'

describeDatabases('app meta', (store) => {
  const database = store.perTest()

  test('keeps any JSON value by key, replaces and removes it', async () => {
    const meta = createAppMeta(database())
    expect(await meta.get('versions')).toBeNull()
    for (const value of [{ payments: 'v2', replicas: [1, 2] }, [1, null, 'x'], 'text', 0, false]) {
      await meta.set('versions', value)
      expect(await meta.get('versions')).toEqual(value)
    }
    await meta.remove('versions')
    expect(await meta.get('versions')).toBeNull()
  })

  test('starts empty in each test', async () => {
    expect(await createAppMeta(database()).get('versions')).toBeNull()
  })

  test('refuses a value of more than 64 KiB, and an empty key', async () => {
    const meta = createAppMeta(database())
    await expect(meta.set('large', 'x'.repeat(65_536))).rejects.toBeInstanceOf(RangeError)
    await expect(meta.set('', 1)).rejects.toThrow('app_meta_key_check')
  })
})
