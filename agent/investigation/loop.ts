import { IntegrationError } from '../../integrations/errors.ts'
import type { ModelCall, ModelPort, ModelTool } from '../../integrations/ports/model.ts'
import type { EvidenceItem, NewEvidence } from '../domain/evidence.ts'
import { redact } from '../redact.ts'
import type { Found, Tool, ToolScope } from '../tools/define-tool.ts'
import { LIMIT_WORDS, nextTurn } from './budget.ts'
import type { ModelAnswer } from './model-answer.ts'
import type { Opinion } from './opinion.ts'
import { headAndTail } from './quarantine.ts'
import { sampled, summarised } from './sample.ts'
import { afterStep, compactable, lengthOf, questionOf, type Step, type StepAt, type Transcript, transcriptOf } from './transcript.ts'

/** Characters of one result in a prompt; the whole is stored. */
const RESULT_MAX = 2_400
const SHORT_MAX = 200
const SAID_MAX = 8_000
const RAW_MAX = 60_000
const TOOL_TIMEOUT_MS = 5_000
/** A report that is still wrong after these ends it. */
const MOST_CORRECTIONS = 2
/** Less is not worth a turn that knows less. */
const WORTH_COMPACTING = 1_000

export interface LoopDeps {
  /** In the order they are asked; the next one takes over where one gives no answer. */
  models: readonly ModelPort[]
  tools: ReadonlyMap<string, Tool>
  scope: ToolScope
  texts: {
    tools: readonly ModelTool[]
    /** The tool by which it hands in what it came to: calling it ends the loop. */
    report: ModelTool
    lastTurn: string
    repair(problems: readonly string[]): string
  }
  /** Stores what was read, under labels that can be cited. */
  keep(found: readonly NewEvidence[]): Promise<EvidenceItem[]>
  /** A stored item that this model may be told; null when there is none. */
  stored(label: string): Promise<EvidenceItem | null>
  conclude(report: unknown): Promise<{ ok: true; opinion: Opinion | null; answer?: ModelAnswer } | { ok: false; problems: string[] }>
  now: () => Date
  signal: AbortSignal
  log: { warn(object: object, message: string): void }
}

/**
 * An investigation by a model, as a sequence of steps. Each step follows from those before it alone; whoever iterates stores a step before
 * asking for the next, so after a crash the stored steps are all that is needed to go on. It ends by itself, within its budget, and nothing it
 * can reach writes to anything but the evidence of its incident.
 *
 * @throws the signal's reason when it fired: the steps stand, and somebody goes on from them
 */
export async function* runLoop(deps: LoopDeps, stored: readonly StepAt[]): AsyncGenerator<StepAt> {
  let t = transcriptOf(stored)
  while (t.ended === null) {
    const step: StepAt = { ...(await nextStep(deps, t)), at: deps.now() }
    deps.signal.throwIfAborted()
    t = afterStep(t, step)
    yield step
  }
}

async function nextStep(deps: LoopDeps, t: Transcript): Promise<Step> {
  const report = deps.texts.report.name
  const call = t.pending.find(({ name }) => name === report) ?? t.pending[0]
  if (call) return call.name === report ? await conclude(deps, t, call) : await answer(deps, t, call)
  if (t.open) return await ask(deps, t, t.open)
  if (t.messages.at(-1)?.role !== 'model') return prepare(deps, t)
  if (t.reason === 'refused') return ended('declined', 'the model declined to answer')
  const problem = t.reason === 'length' ? 'the answer was too long' : 'nothing was handed in'
  return correction(deps, t, null, [problem])
}

/** Sets tokens aside for the next turn, or ends it where none fits. */
function prepare(deps: LoopDeps, t: Transcript): Step {
  const model = deps.models.find(({ provider }) => !t.failed.has(provider))
  if (!model || !t.started) return ended('unavailable', 'no model gave an answer')
  const { provider, price } = model
  const characters = lengthOf(t.messages) + t.started.system.length + JSON.stringify([deps.texts.tools, deps.texts.report]).length
  const turn = nextTurn(t.spent, t.started.budget, { characters, perToken: t.perToken, price })
  if (('over' in turn || turn.last) && compactable(t) >= WORTH_COMPACTING) return { kind: 'compacted' }
  if ('over' in turn) return ended('stopped', LIMIT_WORDS[turn.over])
  return { kind: 'asked', provider, model: model.model, price, characters, ...turn }
}

async function ask(deps: LoopDeps, t: Transcript, open: NonNullable<Transcript['open']>): Promise<Step> {
  const { provider, model: name, price } = open
  const model = deps.models.find((each) => each.provider === provider)
  if (!model || !t.started) return ended('unavailable', 'the model is no longer configured')
  const left = Math.max(0, t.started.budget.seconds - t.spent.seconds) * 1_000
  const signal = AbortSignal.any([deps.signal, AbortSignal.timeout(left)])
  const { system } = t.started
  const request = {
    system: open.last ? `${system}\n\n${deps.texts.lastTurn}` : system,
    messages: t.messages,
    tools: open.last ? [deps.texts.report] : [...deps.texts.tools, deps.texts.report],
    maxOutputTokens: open.output,
    signal,
  }
  let text = ''
  const calls: ModelCall[] = []
  try {
    for await (const event of model.ask(request)) {
      if (event.type === 'text') text += event.text
      else if (event.type === 'call') calls.push(event.call)
      else {
        // A server that does not count is taken to have used what was set aside for reading.
        const usage = event.usage.input > 0 ? event.usage : { input: open.input, output: Math.ceil(text.length / 2) }
        const raw = JSON.stringify(event.raw).length <= RAW_MAX ? event.raw : null
        return { kind: 'answered', provider, model: name, price, text: said(text), calls, raw, reason: event.reason, usage }
      }
    }
    throw new IntegrationError(provider, 'invalid_response', 'the answer had no end')
  } catch (error) {
    deps.signal.throwIfAborted()
    if (!(error instanceof IntegrationError)) throw error
    deps.log.warn({ err: error, provider }, 'the model gave no answer')
    return { kind: 'failed', provider, model: name, price, code: error.code, words: error.message }
  }
}

async function answer(deps: LoopDeps, t: Transcript, call: ModelCall): Promise<Step> {
  const tool = deps.tools.get(call.name)
  const about = { kind: 'result', call: call.id, name: tool?.name ?? 'unknown' } as const
  const result = (status: Extract<Step, { kind: 'result' }>['status'], text: string): Step => ({
    ...about,
    status,
    labels: [],
    text,
    short: text,
  })
  if (!tool) return result('refused', 'There is no such tool.')
  const before = t.known.get(questionOf(call))
  if (before !== undefined) return result('repeated', `You asked that before${before === '' ? '' : `: see ${before}`}.`)
  if (t.started && t.spent.calls >= t.started.budget.calls) return result('refused', 'The questions are used up: report now.')
  const parsed = tool.input.safeParse(call.input)
  if (!parsed.success) return result('refused', `The input is not what the tool takes: ${parsed.error.issues[0]?.message ?? ''}`)
  const found = await run(deps, t, tool, parsed.data)
  if (found.result === 'denied') return result('denied', found.words)
  const items =
    found.result === 'stored' ? [await deps.stored(found.label)].filter((item) => item !== null) : await deps.keep(found.evidence)
  if (items.length === 0) return result('empty', 'There is nothing.')
  const labels = items.map(({ label }) => label)
  const room = Math.floor(RESULT_MAX / items.length)
  const status = items.some((item) => item.status === 'ok') ? 'ok' : (items[0]?.status ?? 'empty')
  const [text, short] = [items.map((item) => sampled(item, room)), items.map((item) => summarised(item, SHORT_MAX))]
  return { ...about, status, labels, text: text.join('\n'), short: short.join('\n') }
}

/** Whatever goes wrong in a tool is an answer in words: one that is broken must not cost the investigation. */
async function run({ scope, signal, log }: LoopDeps, t: Transcript, tool: Tool, input: unknown): Promise<Found> {
  const left = t.started ? Math.max(TOOL_TIMEOUT_MS, (t.started.budget.seconds - t.spent.seconds) * 1_000) : TOOL_TIMEOUT_MS
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(Math.min(left, tool.timeoutMs ?? TOOL_TIMEOUT_MS))])
  const late = new Promise<Found>((resolve) =>
    deadline.addEventListener('abort', () => resolve({ result: 'denied', words: 'There was no answer in time.' }), { once: true }),
  )
  try {
    return await Promise.race([tool.run(input, scope), late])
  } catch (error) {
    log.warn({ err: error, tool: tool.name }, 'a tool of the model failed')
    return { result: 'denied', words: 'That could not be read.' }
  }
}

async function conclude(deps: LoopDeps, t: Transcript, call: ModelCall): Promise<Step> {
  const conclusion = await deps.conclude(call.input)
  if (conclusion.ok) {
    const { ok: _, ...came } = conclusion
    return { kind: 'ended', outcome: 'concluded', words: 'it concluded', ...came }
  }
  return correction(deps, t, call.id, conclusion.problems)
}

function correction({ texts }: LoopDeps, t: Transcript, call: string | null, problems: string[]): Step {
  if (t.corrections >= MOST_CORRECTIONS) return ended('invalid', `its report could not be used: ${problems.join('; ').slice(0, 300)}`)
  return { kind: 'corrected', call, problems, text: texts.repair(problems) }
}

function ended(outcome: Extract<Step, { kind: 'ended' }>['outcome'], words: string): Step {
  return { kind: 'ended', outcome, words, opinion: null }
}

function said(text: string): string {
  return redact(headAndTail(text, SAID_MAX))
}
