import { randomUUID } from 'node:crypto'
import { digestOf } from '../../agent/domain/canonical-json.ts'
import { codeOf, type PowerChange, type SealedChange, sealChange } from '../../agent/domain/power.ts'
import { actorOf, type Kernel } from './kernel.ts'

/** A change as an admin, Max unless told otherwise, asks for it. */
export async function askedFor({ power }: Pick<Kernel, 'power'>, change: PowerChange, by = 'max'): Promise<SealedChange> {
  const sealed = sealChange(randomUUID(), change)
  await power.ask(sealed, actorOf(by))
  return sealed
}

/** Another admin's word, Nora's unless told otherwise. */
export async function confirmed(
  { power }: Pick<Kernel, 'power'>,
  change: SealedChange,
  by = 'nora',
): ReturnType<Kernel['power']['confirm']> {
  return await power.confirm(codeOf(change), actorOf(by))
}

/** A change that Max asked for and Nora confirmed. */
export async function given(kernel: Pick<Kernel, 'power'>, change: PowerChange): Promise<void> {
  await confirmed(kernel, await askedFor(kernel, change))
}

/** Offers a policy as the host's file does. */
export async function offered({ policies }: Pick<Kernel, 'policies'>, text: string): Promise<'in-force' | 'waiting'> {
  const digest = digestOf(text)
  return await policies.offer({ digest, text, ask: (before) => sealChange(randomUUID(), { kind: 'policy', policy: digest, before }) })
}
