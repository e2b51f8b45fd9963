import type { ApiKey, Settings } from '../config.ts'

/** The secrets that a running process exchanges for new ones, as they are now. */
export interface LiveSecrets {
  apiKeys(): readonly ApiKey[]
  /** Any of them will do. Beside the one of the settings, the one before it for a while; empty when none is asked for. */
  webhookTokens(): readonly string[]
  /** Of a provider of models by its id; null for one that there was not at the start. */
  modelKey(provider: string): string | null
  /** Takes what is new of settings that were read again, and says by its name in the settings what was taken and what waits for a start. */
  exchange(fresh: Settings): { taken: string[]; waits: string[] }
}

/** Whoever sends alerts is given a new token after Steadyhand or before it, and never at the same moment: no alert is to be lost between. */
const FORMER_TOKEN_MS = 600_000

/** Said of the process that reads them, and no settings. */
const NOT_SETTINGS: readonly string[] = ['unused', 'files', 'crash']

/**
 * What there was is replaced by something else, and never by nothing: without keys or a token nobody would be asked for one any more. That, and
 * everything else, waits for a start. So does a new key that would see something else than was meant for it, by the workspaces of the start.
 */
export function createLiveSecrets(start: Settings, now: () => Date): LiveSecrets {
  let [apiKeys, webhookToken] = [start.api.keys, start.webhooks.token]
  let former: { token: string; until: number } | null = null
  const addresses = new Map(start.models.providers.map(({ id, baseUrl }) => [id, baseUrl]))
  const modelKeys = new Map(start.models.providers.map(({ id, apiKey }) => [id, apiKey]))
  return {
    apiKeys: () => apiKeys,
    webhookTokens() {
      if (webhookToken === null) return []
      return former !== null && now().getTime() < former.until ? [webhookToken, former.token] : [webhookToken]
    },
    modelKey: (provider) => modelKeys.get(provider) ?? null,
    exchange(fresh) {
      const taken: string[] = []
      const waits = waiting(start, fresh)
      const usable = fresh.api.keys.filter((key) => apiKeys.some((known) => isSame(known, key)) || seesAsMeant(key, start, fresh))
      if (apiKeys.length > 0 && usable.length > 0 && !isSame(apiKeys, usable)) {
        apiKeys = usable
        taken.push('api.keys')
      }
      const isHeld = apiKeys.length > 0 && usable.length < fresh.api.keys.length
      if (webhookToken !== null && fresh.webhooks.token !== null && webhookToken !== fresh.webhooks.token) {
        former = { token: webhookToken, until: now().getTime() + FORMER_TOKEN_MS }
        webhookToken = fresh.webhooks.token
        taken.push('webhooks.token')
      }
      for (const { id, apiKey, baseUrl } of fresh.models.providers) {
        if (!modelKeys.has(id) || modelKeys.get(id) === apiKey) continue
        // Until the start questions go to the former address, which must not be told the key of another.
        if (addresses.get(id) !== baseUrl) {
          waits.push(`the key of ${id}`)
          continue
        }
        modelKeys.set(id, apiKey)
        taken.push(`the key of ${id}`)
      }
      return { taken, waits: [...(isHeld ? ['api.keys'] : []), ...waits] }
    },
  }
}

/** A provider whose key is asked for at each question. */
export function keyed<T extends { id: string; apiKey: string }>(live: Pick<LiveSecrets, 'modelKey'>) {
  return (provider: T) => ({ ...provider, apiKey: async (): Promise<string> => live.modelKey(provider.id) ?? provider.apiKey })
}

/** Whether the running workspaces let a key see what the new ones do. */
function seesAsMeant({ name }: ApiKey, start: Settings, fresh: Settings): boolean {
  const reach = ({ workspaces }: Settings): unknown =>
    workspaces.length === 0
      ? 'everything'
      : workspaces
          .filter(({ keys }) => name !== null && keys.includes(name))
          .map(({ services, environments, data }) => ({ services, environments, data }))
  return isSame(reach(start), reach(fresh))
}

/** What differs from the start beside what can be exchanged, by the top keys of the settings. */
function waiting(start: Settings, fresh: Settings): string[] {
  const [before, after] = [exchanged(start), exchanged(fresh)]
  return Object.keys(before).filter((key) => !NOT_SETTINGS.includes(key) && !isSame(before[key], after[key]))
}

/** Settings in which a secret that can be exchanged is only there or not. */
function exchanged(settings: Settings): Record<string, unknown> {
  return {
    ...settings,
    api: { isSet: settings.api.keys.length > 0 },
    webhooks: { ...settings.webhooks, token: settings.webhooks.token !== null },
    models: { ...settings.models, providers: settings.models.providers.map((provider) => ({ ...provider, apiKey: true })) },
  }
}

function isSame(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b)
}
