import { Refusal } from '../domain/refusal.ts'
import { type Sight, seesScope } from '../domain/workspace.ts'
import type { ControlStore } from '../ports.ts'

/** Everybody may stop, and sees what is stopped. A freeze of something that is not seen is not there, and is not ended from here. */
export function seenControl(control: ControlStore, sight: Sight): ControlStore {
  const freezes: ControlStore['freezes'] = async () => (await control.freezes()).filter(({ scope }) => seesScope(sight, scope))
  return {
    ...control,
    freezes,
    async unfreeze(id, by) {
      if (!(await freezes()).some((each) => each.id === id)) throw new Refusal('invalid-parameters', 'There is no such freeze.')
      await control.unfreeze(id, by)
    },
  }
}
