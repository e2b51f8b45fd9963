export interface DrillScenario {
  name: string
  title: string
  /** action: an approved action mends it · no-action: the right answer is to leave it · undo: the first action fails and is undone. */
  expects: 'action' | 'no-action' | 'undo'
  service: string
  /** What really is wrong, for scoring: never shown to the diagnosis. */
  truth: { class: string; component: string; action: string | null }
}

/** A target that can be broken for real, to practise on. */
export interface DrillsPort {
  scenarios: readonly DrillScenario[]
  /** Breaks the target. Resolves once the fault is in place. */
  begin(name: string, signal: AbortSignal): Promise<void>
  /** Puts everything back: versions, replicas, faults. Resolves once the target is healthy again. */
  restore(signal: AbortSignal): Promise<void>
}
