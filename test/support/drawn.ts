import type { IncidentView } from '../../agent/agent.ts'
import type { Approval } from '../../agent/domain/approval.ts'
import { createDrawing, type Drawn } from '../../bot/slack/drawing.ts'
import { PEOPLE } from './builders.ts'

/** Of every message that is drawn here. */
export const NONCE = 'n'.repeat(24)

const ACCOUNTS = ['U0ALICE', 'U0CAROL']

/** A posting as it would be posted now. */
export async function draw(
  kind: 'incident' | 'approval' | 'ended',
  state: { view?: IncidentView; approval?: Approval; now: Date; linked?: string[] },
): Promise<Extract<Drawn, { type: 'message' }>> {
  const people = Object.entries(PEOPLE).map(([id, name]) => ({ id, name, kind: 'human' as const, active: true }))
  const drawing = createDrawing({
    agent: {
      incident: async () => state.view ?? null,
      approval: async () => state.approval ?? null,
      people: async () => people.map((person) => ({ ...person, roles: [], everywhere: [] })),
      whoMay: async () => people.filter(({ id }) => id !== 'bob'),
      manualOf: () => 'kubectl rollout undo deployment/payments',
      incidentSeries: async () => null,
    },
    accountsOf: async () => ACCOUNTS,
    cardLink: async (id) => {
      state.linked?.push(id)
      return id === 'INC-40' ? 'https://w.slack.com/archives/C1/p1' : null
    },
    drawPng: async () => Buffer.from(''),
    consoleUrl: 'https://steadyhand.example',
    now: () => state.now,
  })
  const drawn = await drawing({ kind, ref: 'x', body: null, nonce: NONCE })
  if (drawn.type !== 'message') throw new Error('nothing was drawn')
  return drawn
}
