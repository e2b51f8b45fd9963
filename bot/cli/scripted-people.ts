import type { z } from 'zod'
import { listOf } from '../api/lists.ts'
import { approvalSchema, personSchema } from '../api/shapes.ts'
import { type ApiClient, RefusedCall } from './api-client.ts'
import { CommandFailed } from './failure.ts'

export type WireApproval = z.infer<typeof approvalSchema>

/** People of the console who decide by script: everybody who may look, and everybody who may approve. */
export interface ScriptedPeople {
  /** Somebody who may not approve tries to; returns the words of the refusal, or null when there is nobody to try. */
  refuse(approval: WireApproval): Promise<{ name: string; words: string } | null>
  /** As many approvers as the plan needs click Approve, one after the other; returns their names. */
  approve(approval: WireApproval): Promise<string[]>
}

/** @throws CommandFailed where people cannot be signed in by name */
export async function signInPeople(api: ApiClient): Promise<ScriptedPeople> {
  const { items } = await api.call('GET', '/api/v1/people', listOf(personSchema))
  const maySay = (roles: readonly string[]): boolean => roles.includes('approver') || roles.includes('admin')
  const approvers = items.filter(({ roles }) => maySay(roles))
  const viewer = items.find(({ roles }) => !maySay(roles)) ?? null
  const signIn = async (id: string): Promise<ApiClient> => {
    try {
      return await api.signIn(id)
    } catch (error) {
      if (error instanceof RefusedCall && error.problem.code === 'named-sessions-off')
        throw new CommandFailed('People cannot be signed in by script at this server. Leave --auto away and approve where your cards are.')
      throw error
    }
  }
  const vote = (client: ApiClient, { id, digest, confirm }: WireApproval): Promise<WireApproval> =>
    client.call('POST', `/api/v1/approvals/${id}/votes`, approvalSchema, { decision: 'approve', digest, confirm })
  return {
    async refuse(approval) {
      if (viewer === null) return null
      const client = await signIn(viewer.id)
      try {
        await vote(client, approval)
      } catch (error) {
        if (error instanceof RefusedCall && error.problem.status === 403) return { name: viewer.name, words: error.message }
        throw error
      }
      throw new CommandFailed(`${viewer.name} is no approver and was not refused. Stop Steadyhand and run "steadyhand audit verify".`)
    },
    async approve(approval) {
      const names: string[] = []
      for (const { id, name } of approvers) {
        names.push(name)
        const after = await vote(await signIn(id), approval)
        if (after.state !== 'pending') return names
      }
      throw new CommandFailed(`The policy asks ${approval.needed} people to approve, and only ${approvers.length} may.`)
    },
  }
}
