import { expect, test } from 'vitest'
import { DatabaseBusy } from '../../storage/errors.ts'
import { createWaitingLine } from '../../storage/waiting-line.ts'

const WAIT_MS = 60_000

test('goes in order, but for who is let ahead, and they in theirs', async () => {
  const line = createWaitingLine(WAIT_MS)
  const held = await line.take()
  const order: string[] = []
  const comes = async (name: string, ahead: boolean): Promise<void> => {
    const release = await line.take(ahead)
    order.push(name)
    release()
  }
  const all = [comes('a', false), comes('b', false), comes('first', true), comes('second', true)]
  held()
  await Promise.all(all)
  expect(order).toEqual(['first', 'second', 'a', 'b'])
})

test.each([false, true])('whoever waits too long is told, and keeps nobody (ahead: %s)', async (ahead) => {
  const line = createWaitingLine(1)
  const held = await line.take()
  await expect(line.take(ahead)).rejects.toBeInstanceOf(DatabaseBusy)
  held()
  const release = await line.take()
  release()
  release()
  await expect(line.take()).resolves.toBeTypeOf('function')
})
