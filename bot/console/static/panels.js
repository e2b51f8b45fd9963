/** @import { Panel } from './state.js' */
import { closedPanel } from './state.js'

/**
 * Where a request stands, in short: what was said below its card is old as soon as this is another.
 *
 * @param {any} approval
 */
export function approvalMark(approval) {
  const { state, votes, execution } = approval
  const phase = state === 'authorised' || state === 'executing' ? 'under way' : state
  return JSON.stringify([phase, votes.length, execution?.outcome ?? null, execution?.undo?.state ?? null, execution?.keptBy ?? null])
}

/**
 * The panels without what is no longer so: answers to a click on a request that moved on since, and forms of one that is decided. A click
 * under way stays.
 *
 * @param {Record<string, Panel>} panels
 * @param {ReadonlyMap<string, any>} approvals
 * @returns {Record<string, Panel>}
 */
export function panelsStillTrue(panels, approvals) {
  const entries = Object.entries(panels).map(([id, panel]) => {
    const approval = approvals.get(id)
    if (!approval || panel.busy) return [id, panel]
    const moved = panel.about !== null && panel.about !== approvalMark(approval)
    const tooLate = panel.open !== null && approval.state !== 'pending'
    return [id, moved || tooLate ? closedPanel() : panel]
  })
  return Object.fromEntries(entries)
}
