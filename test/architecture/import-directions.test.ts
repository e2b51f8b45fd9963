import { describe, expect, test } from 'vitest'
import { eagerVendorSdks, forbiddenImports, importCycles, writesReachableFromTheModel } from './import-rules.ts'
import { product } from './product.ts'
import { parseSource } from './source.ts'

const files = (texts: Record<string, string>) => Object.entries(texts).map(([path, text]) => parseSource(path, text))

describe('the product', () => {
  test('imports only in the directions of the table', () => expect(forbiddenImports(product)).toEqual([]))
  test('has no import cycles', () => expect(importCycles(product)).toEqual([]))
  test('loads no vendor SDK before it is configured', () => {
    expect(product.map(({ path }) => path)).toContain('bot/main.ts')
    expect([...eagerVendorSdks(product, 'bot/main.ts'), ...eagerVendorSdks(product, 'bot/cli.ts')]).toEqual([])
  })
  test('has no way from the model to code that acts', () => expect(writesReachableFromTheModel(product)).toEqual([]))
})

describe('the import table', () => {
  test.each([
    ['bot/server.ts', "import { x } from '../storage/database.ts'"],
    ['bot/server.ts', "import { x } from '../agent/intake/pipeline.ts'"],
    ['bot/server.ts', "import { x } from '../integrations/loki/index.ts'"],
    ['bot/server.ts', "import { x } from '../integrations/contract.ts'"],
    ['bot/server.ts', "import { App } from '@slack/bolt'"],
    ['bot/messages/incident-card.ts', "import type { KnownBlock } from '@slack/types'"],
    ['bot/teams/render.ts', "import { CardFactory } from 'botbuilder'"],
    ['bot/server.ts', "import { Kysely } from 'kysely'"],
    ['agent/intake/pipeline.ts', "import { x } from '../../bot/server.ts'"],
    ['agent/intake/pipeline.ts', "import { x } from '../../storage/inbox.ts'"],
    ['agent/intake/pipeline.ts', "import { x } from '../../integrations/http.ts'"],
    ['agent/investigation/loop.ts', "import OpenAI from 'openai'"],
    ['agent/domain/plan.ts', "import { x } from '../policy/gates.ts'"],
    ['agent/domain/plan.ts', "import { readFileSync } from 'node:fs'"],
    ['agent/policy/gates.ts', "import type { x } from '../ports.ts'"],
    ['agent/policy/gates.ts', "import { parse } from 'yaml'"],
    ['agent/tools/query-metrics.ts', "import { x } from '../agent.ts'"],
    ['agent/tools/query-metrics.ts', "import { x } from './query-logs.ts'"],
    ['integrations/loki/index.ts', "import { x } from '../jira/index.ts'"],
    ['integrations/loki/index.ts', "import { x } from '../../agent/domain/plan.ts'"],
    ['integrations/loki/index.ts', "import type { x } from '../../agent/agent.ts'"],
    ['integrations/loki/index.ts', "import { Client } from 'jira.js'"],
    ['integrations/ports/action.ts', "import { x } from '../loki/index.ts'"],
    ['integrations/http.ts', "import { x } from './loki/index.ts'"],
    ['storage/inbox.ts', "import type { x } from '../bot/config.ts'"],
    ['storage/inbox.ts', "import { x } from '../agent/ports.ts'"],
    ['storage/inbox.ts', "import { x } from '../agent/domain/plan.ts'"],
    ['storage/inbox.ts', "export * from '../integrations/contract.ts'"],
    ['storage/inbox.ts', "const x = await import('../bot/server.ts')"],
    ['storage/inbox.ts', "type X = import('../bot/server.ts').X"],
    ['storage/inbox.ts', 'const x = await import(name)'],
  ])('refuses %s: %s', (path, text) => expect(forbiddenImports(files({ [path]: text }))).toHaveLength(1))

  test.each([
    ['bot/main.ts', "import { x } from '../storage/database.ts'"],
    ['bot/server.ts', "import type { x } from '../integrations/contract.ts'"],
    ['bot/slack/app.ts', "import { App } from '@slack/bolt'"],
    ['bot/teams/host.ts', "import { CloudAdapter } from 'botbuilder'"],
    ['agent/actions/catalog.ts', "import type { x } from '../../integrations/ports/action.ts'"],
    ['agent/tools/registry.ts', "import { x } from './query-logs.ts'"],
    ['integrations/loki/index.ts', "import type { x } from '../../agent/domain/plan.ts'"],
    ['integrations/registry.ts', "const load = () => import('./loki/index.ts')"],
    ['storage/inbox.ts', "import { Migrator } from 'kysely/migration'"],
    ['storage/inbox.ts', "import { mkdir } from 'node:fs/promises'"],
    ['storage/inbox.ts', "import { Refusal } from '../agent/domain/refusal.ts'"],
  ])('allows %s: %s', (path, text) => expect(forbiddenImports(files({ [path]: text }))).toEqual([]))

  test('knows every folder', () => expect(forbiddenImports(files({ 'helpers/a.ts': '' }))).toHaveLength(1))
})

describe('the graph', () => {
  test('shows a cycle, also through types and re-exports, and not through a dynamic import', () => {
    const cycle = files({
      'agent/a.ts': "import { b } from './b.ts'",
      'agent/b.ts': "export { c } from './c.ts'",
      'agent/c.ts': "import type { A } from './a.ts'; const late = () => import('./b.ts')",
    })
    expect(importCycles(cycle)).toEqual(['agent/a.ts → agent/b.ts → agent/c.ts → agent/a.ts'])
  })

  test('shows the way from the start to an SDK, and lets a dynamic import and types be', () => {
    const main =
      "import '../bot/slack/app.ts'; import type { x } from '../bot/teams/host.ts'; const jira = () => import('../integrations/jira/index.ts')"
    const sources = files({
      'bot/main.ts': main,
      'bot/slack/app.ts': "import { App } from '@slack/bolt'",
      'bot/teams/host.ts': "import { CloudAdapter } from 'botbuilder'",
      'integrations/jira/index.ts': "import { createCloudClient } from 'jira.js'",
    })
    expect(eagerVendorSdks(sources, 'bot/main.ts')).toEqual(['bot/main.ts → bot/slack/app.ts → @slack/bolt'])
  })

  test('shows the way from a tool to code that acts', () => {
    const sources = files({
      'agent/tools/registry.ts': "import { x } from '../investigation/budget.ts'",
      'agent/investigation/budget.ts': "import { execute } from '../actions/execute.ts'",
    })
    expect(writesReachableFromTheModel(sources)).toContain(
      'agent/tools/registry.ts → agent/investigation/budget.ts → agent/actions/execute.ts',
    )
  })
})
