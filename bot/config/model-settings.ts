import { z } from 'zod'
import { DATA_KINDS, type DataKind, USUALLY_TOLD } from '../../agent/domain/model-data.ts'
import { PERSONAL_KINDS, type PersonalKind, USUALLY_MASKED } from '../../agent/domain/personal-data.ts'
import { ACCOUNT_IN_ADDRESS, addressSchema, hasAccount } from './address.ts'
import type { EnvironmentReader, VariableWords } from './secrets.ts'

const price = z.number().min(0).max(10_000)

const providerSchema = z.strictObject({
  model: z
    .string()
    .trim()
    .min(1)
    .max(200)
    .optional()
    .meta({ description: 'The model that is asked; left out: the one this version was made with.' }),
  baseUrl: addressSchema(500).optional().meta({ description: 'Another address that speaks the same protocol.' }),
  /** Dollars for a million tokens. */
  price: z
    .strictObject({
      input: price.meta({ description: 'Dollars for a million tokens that it reads.' }),
      output: price.meta({ description: 'Dollars for a million tokens that it writes.' }),
    })
    .optional()
    .meta({ description: 'Without it money is not counted.' }),
  tells: z
    .array(z.enum(DATA_KINDS))
    .max(DATA_KINDS.length)
    .optional()
    .meta({ description: 'Kinds of data it may be told; left out: all of them but code.' }),
  masks: z
    .array(z.enum(PERSONAL_KINDS))
    .max(PERSONAL_KINDS.length)
    .optional()
    .meta({ description: 'Data of people it is told a mask of; left out: email, phone, card and iban.' }),
})
type ProviderFile = z.infer<typeof providerSchema>

/** The part of the settings file that is about models. Keys are not in it: they come from the environment or from files it names. */
export const modelsFileSchema = z.strictObject({
  order: z
    .array(z.enum(['anthropic', 'openai']))
    .max(2)
    .optional()
    .meta({ description: 'The first is asked, the next takes over where it gives no answer; one that is not named is not asked.' }),
  anthropic: providerSchema.optional().meta({ description: 'Asked once ANTHROPIC_API_KEY is set.' }),
  openai: providerSchema.optional().meta({ description: 'Asked once OPENAI_API_KEY is set.' }),
  budget: z
    .strictObject({
      seconds: z.int().min(10).max(900).meta({ description: 'Seconds it may take.', default: 120 }),
      turns: z.int().min(1).max(50).meta({ description: 'Answers it may give.', default: 8 }),
      calls: z.int().min(0).max(200).meta({ description: 'Questions it may ask of the sources.', default: 12 }),
      tokens: z.int().min(2_000).max(2_000_000).meta({ description: 'Tokens of all turns together.', default: 30000 }),
      dollars: z.number().min(0.01).max(1_000).meta({ description: 'Dollars, where the price is known.', default: 0.5 }),
    })
    .partial()
    .optional()
    .meta({ description: 'For one look at one incident.' }),
  secondOpinion: z.boolean().optional().meta({
    description: 'Whether the second provider is asked, once and from what is stored alone, to refute what the first one thinks.',
    default: false,
  }),
})

/** Keys have no place in the file. */
export const modelVariables: VariableWords = {
  ANTHROPIC_API_KEY: { words: 'The key of this provider; with it, it is asked.', secret: true },
  ANTHROPIC_MODEL: { words: 'The model that is asked.', key: 'models.anthropic.model' },
  ANTHROPIC_BASE_URL: { words: 'Another address.', key: 'models.anthropic.baseUrl' },
  OPENAI_API_KEY: { words: 'The key of this provider; with it, it is asked.', secret: true },
  OPENAI_MODEL: { words: 'The model that is asked.', key: 'models.openai.model' },
  OPENAI_BASE_URL: { words: 'Another address.', key: 'models.openai.baseUrl' },
}

export interface ProviderSettings {
  id: string
  apiKey: string
  /** Null for the provider's own address. */
  baseUrl: string | null
  /** Null for the adapter's default. */
  model: string | null
  price: { input: number; output: number } | null
  /** Kinds of data that may leave for it. */
  tells: readonly DataKind[]
  /** Data of people that do not. */
  masks: readonly PersonalKind[]
}

export interface ModelsSettings {
  /** In the order they are asked; empty means that no model is. */
  providers: readonly ProviderSettings[]
  budget: NonNullable<z.infer<typeof modelsFileSchema>['budget']>
  /** Whether the second is asked to refute what the first thinks. */
  secondOpinion: boolean
}

/** What is set and has no effect. */
export function unusedModelSettings({ providers, secondOpinion }: ModelsSettings): string[] {
  return secondOpinion && providers.length < 2
    ? ['models.secondOpinion is set, and there are no keys of two providers: nobody is asked for a second opinion']
    : []
}

/** The variables are those that the providers' own tools know. A provider without a key is not configured. */
export function readModelsSettings(read: EnvironmentReader, file: z.infer<typeof modelsFileSchema> = {}): ModelsSettings {
  const known = [providerOf(read, 'anthropic', 'ANTHROPIC', file.anthropic), providerOf(read, 'openai', 'OPENAI', file.openai)].filter(
    (provider) => provider !== null,
  )
  const placeOf = ({ id }: ProviderSettings): number => (file.order as readonly string[] | undefined)?.indexOf(id) ?? -1
  const isWanted = (provider: ProviderSettings): boolean => file.order === undefined || placeOf(provider) >= 0
  return {
    providers: known.filter(isWanted).toSorted((a, b) => placeOf(a) - placeOf(b)),
    budget: file.budget ?? {},
    secondOpinion: file.secondOpinion ?? false,
  }
}

function providerOf(read: EnvironmentReader, id: string, prefix: string, file: ProviderFile = {}): ProviderSettings | null {
  const apiKey = read.secret(`${prefix}_API_KEY`)
  const baseUrl = read.text(`${prefix}_BASE_URL`) ?? file.baseUrl ?? null
  const model = read.text(`${prefix}_MODEL`) ?? file.model ?? null
  if (apiKey === undefined) return null
  // Never with the value: there may be a password in it.
  if (baseUrl !== null && !(/^https?:/i.test(baseUrl) && URL.canParse(baseUrl)))
    read.problems.push(`${prefix}_BASE_URL must be an address that begins with http:// or https://.`)
  else if (baseUrl !== null && hasAccount(baseUrl)) read.problems.push(`${prefix}_BASE_URL ${ACCOUNT_IN_ADDRESS}.`)
  return { id, apiKey, baseUrl, model, price: file.price ?? null, tells: file.tells ?? USUALLY_TOLD, masks: file.masks ?? USUALLY_MASKED }
}
