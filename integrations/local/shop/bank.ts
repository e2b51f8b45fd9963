import { setTimeout as pause } from 'node:timers/promises'
import type { Routes } from './service.ts'
import type { SupervisorLink } from './supervisor-link.ts'

/** What the bank takes to answer, milliseconds; a little more every few charges. */
const ANSWER_MS = [8, 9, 8, 12, 9, 8, 20, 9]

/** The bank whose cards the shop takes. It is somebody else's: when it is down, nobody here can mend it. */
export function createBank(link: SupervisorLink): Routes {
  let asked = 0
  return {
    'POST /authorisations': async () => {
      if (link.conditions().bank === 'down') return { status: 503, body: { error: 'the service is not available' } }
      await pause(ANSWER_MS[asked++ % ANSWER_MS.length])
      return { status: 201, body: { authorisation: asked } }
    },
  }
}
