import { DATA_KINDS } from '../../../agent/domain/model-data.ts'
import { createAnthropicModel } from '../../../integrations/anthropic/index.ts'
import type { ModelPort } from '../../../integrations/ports/model.ts'
import type { ScriptedModel } from './scripted-model.ts'

/** A model behind Anthropic's protocol, as the scripted server plays it: told everything, priced nowhere. */
export function claudeOf({ anthropicUrl }: ScriptedModel): ModelPort {
  return createAnthropicModel({ apiKey: 'k', baseUrl: anthropicUrl, model: 'claude-test', price: null, tells: DATA_KINDS, masks: [] })
}
