import { expect, test } from 'vitest'
import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import { toolsFor } from '../../../agent/tools/registry.ts'
import { withStep } from '../../../bot/slack/looking-steps.ts'

const titleOf = (tool: string) => withStep([], { nth: 1, tool, state: 'asked' })[0]?.title

test('every tool of a model has words of its own; what a model makes up has none', () => {
  const tools = [...toolsFor(new Set(DATA_KINDS)).keys()]
  const titles = tools.map(titleOf)
  const unknown = titleOf('rm -rf <!channel>')
  expect(unknown).toBe('Look something up')
  expect(tools.filter((tool) => titleOf(tool) === unknown)).toEqual([])
  expect(new Set(titles).size).toBe(tools.length)
  expect(tools.length).toBeGreaterThan(7)
})
