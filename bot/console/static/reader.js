/** @import { State } from './state.js' */
import { get } from './api.js'
import { modeMark } from './mode.js'
import { panelsStillTrue } from './panels.js'

const AUDIT = '/api/v1/audit?limit=50'
const DAY_MS = 86_400_000
/** Of more open incidents than this the pages know which service each is named after, and no more. */
const MOST_IN_FULL = 20
const ENDED = '/api/v1/incidents?shape=summary&limit=50'

/**
 * Reads what the page shows. A change that comes while the same thing is being read is read once more afterwards, never twice at once.
 *
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 */
export function createReader(state, update) {
  const reading = new Map()

  /**
   * @param {string} name
   * @param {() => Promise<void>} read
   */
  function once(name, read) {
    const under = reading.get(name)
    if (under) {
      under.again = true
      return under.done
    }
    const entry = { again: false, done: Promise.resolve() }
    const run = async () => {
      try {
        do {
          entry.again = false
          await read()
        } while (entry.again)
      } finally {
        reading.delete(name)
      }
    }
    entry.done = run()
    reading.set(name, entry)
    return entry.done
  }

  /**
   * @param {'incidents' | 'pending'} name
   * @param {string} path
   */
  const list = (name, path) =>
    once(name, async () => {
      const answer = await get(path)
      update({ [name]: answer.ok ? { data: answer.body.items, refused: null } : { data: state[name].data, refused: answer } })
    })

  const incidents = async () => {
    await Promise.all([list('incidents', '/api/v1/incidents?shape=summary&state=active&limit=200'), ended()])
  }
  /** The newest page; what was read of older ones stays. */
  const ended = () =>
    once('ended', async () => {
      const answer = await get(ENDED)
      if (!answer.ok) return update({ ended: { ...state.ended, refused: answer } })
      const first = state.ended.data === null
      update({ ended: { ...state.ended, ...withPage(answer.body.items), refused: null, ...(first ? { next: answer.body.next } : {}) } })
    })
  const moreEnded = () =>
    once('more ended', async () => {
      const { next } = state.ended
      if (next === null) return
      update({ ended: { ...state.ended, busy: true } })
      const answer = await get(`${ENDED}&cursor=${encodeURIComponent(next)}`)
      if (!answer.ok) return update({ ended: { ...state.ended, busy: false, refused: answer } })
      update({ ended: { ...withPage(answer.body.items), refused: null, next: answer.body.next, busy: false } })
    })
  /** @param {any[]} items */
  const withPage = (items) => {
    const known = new Map((state.ended.data ?? []).map((/** @type {any} */ one) => [one.id, one]))
    for (const one of items) if (one.endedAt !== null) known.set(one.id, one)
    for (const { id, endedAt } of items) if (endedAt === null) known.delete(id)
    return { data: [...known.values()].toSorted((a, b) => (a.endedAt < b.endedAt ? 1 : -1)) }
  }
  const pending = () => list('pending', '/api/v1/approvals?state=pending&limit=20')
  const drills = () =>
    once('drills', async () => {
      const answer = await get('/api/v1/drills')
      if (!answer.ok) return update({ drills: { data: state.drills.data, refused: answer } })
      const { items, running = null } = answer.body
      // That another runs is no longer so.
      const refused = running === null && state.drillRefused?.code === 'drill-running' ? null : state.drillRefused
      update({ drills: { data: items, refused: null }, running, drillRefused: refused })
    })
  /** The newest page; what was read of older ones stays, unless there is a gap between. */
  const audit = () =>
    once('audit', async () => {
      const answer = await get(AUDIT)
      if (!answer.ok) return update({ audit: { ...state.audit, refused: answer } })
      const { items, next } = answer.body
      const last = items.at(-1)?.seq ?? 0
      const older = (state.audit.data ?? []).filter((/** @type {any} */ { seq }) => seq < last)
      const joined = older[0]?.seq === last - 1
      const pages = joined ? { data: [...items, ...older], next: state.audit.next } : { data: items, next }
      update({ audit: { ...pages, refused: null, busy: false } })
    })
  const moreAudit = () =>
    once('more audit', async () => {
      const { next, data } = state.audit
      if (next === null) return
      update({ audit: { ...state.audit, busy: true } })
      const answer = await get(`${AUDIT}&cursor=${encodeURIComponent(next)}`)
      if (!answer.ok) return update({ audit: { ...state.audit, busy: false, refused: answer } })
      update({ audit: { data: [...(data ?? []), ...answer.body.items], next: answer.body.next, refused: null, busy: false } })
    })
  const services = () =>
    once('services', async () => {
      // In full: an incident is of more than the service it is named after.
      const [answer, open] = await Promise.all([get('/api/v1/services'), get(`/api/v1/incidents?state=active&limit=${MOST_IN_FULL}`)])
      const incidents = open.ok ? open.body.items : (state.services.data?.incidents ?? [])
      update({
        services: answer.ok ? { data: { ...answer.body, incidents }, refused: null } : { data: state.services.data, refused: answer },
      })
    })
  const records = () =>
    once('records', async () => {
      const { days, drills } = state.records
      const from = new Date(Date.now() - days * DAY_MS).toISOString()
      const answer = await get(`/api/v1/records?from=${from}&drills=${drills}`)
      // Counted over what nobody wants any more: the next reading is under way.
      if (state.records.days !== days || state.records.drills !== drills) return
      update({ records: { days, drills, data: answer.ok ? answer.body : null, refused: answer.ok ? null : answer } })
    })
  /**
   * What the records are counted over; they are counted anew.
   *
   * @param {{ days?: number, drills?: boolean }} over
   */
  const countOver = (over) => {
    update({ records: { ...state.records, ...over } })
    return records()
  }
  const mode = () =>
    once('mode', async () => {
      const answer = await readMode()
      if (answer.ok) update({ mode: { stops: [], ...answer.body, at: new Date() }, modeRefused: null })
      else update({ modeRefused: answer })
      if (state.control?.about && state.control.about !== modeMark(state)) update({ control: null })
    })

  const incident = () =>
    once('incident', async () => {
      const { id } = state.route
      if (id === '') return
      if (state.incident.id !== id) update({ incident: { id, data: null, refused: null, approvals: new Map() } })
      const path = encodeURIComponent(id)
      const [answer, approvals] = await Promise.all([get(`/api/v1/incidents/${path}`), get(`/api/v1/approvals?incident=${path}&limit=50`)])
      if (state.route.id !== id) return
      // While nothing answers, what was read stays, under the words that it may be old.
      if (answer.status === 0 && state.incident.data) return
      if (!answer.ok) return update({ incident: { id, data: null, refused: answer, approvals: new Map() } })
      const before = state.incident.data
      const known = approvals.ok ? new Map(approvals.body.items.map((/** @type {any} */ one) => [one.id, one])) : state.incident.approvals
      update({
        incident: { id, data: answer.body, refused: null, approvals: known },
        panels: panelsStillTrue(state.panels, known),
        ...(before && before.state !== answer.body.state ? { announcement: `${id} is now ${answer.body.stateWords}.` } : {}),
      })
    })

  /** Reads the content of the result that the address points at, and says whether it did: what is stored never changes. */
  const evidence = async () => {
    const before = state.evidence.data
    await readEvidence()
    return state.evidence.data !== null && state.evidence.data !== before
  }
  const readEvidence = () =>
    once('evidence', async () => {
      const { id, focus: label } = state.route
      const isKnown = state.evidence.id === id && state.evidence.label === label && state.evidence.data
      if (isKnown || !/^E\d{1,9}$/.test(label)) return
      update({ evidence: { id, label, data: null, refused: null } })
      const answer = await get(`/api/v1/incidents/${encodeURIComponent(id)}/evidence/${label}`)
      if (state.route.id !== id || state.route.focus !== label) return
      update({ evidence: { id, label, data: answer.ok ? answer.body : null, refused: answer.ok ? null : answer } })
    })

  /** Reads what models did in the incident once its address names that, and again when it changed while it is shown. */
  const trace = () =>
    once('trace', async () => {
      const { id } = state.route
      if (state.route.focus !== 'trace' && state.trace.id !== id) return
      const data = state.trace.id === id ? state.trace.data : null
      update({ trace: { id, data, refused: null } })
      const answer = await get(`/api/v1/incidents/${encodeURIComponent(id)}/model-runs`)
      if (state.route.id !== id) return
      update({ trace: answer.ok ? { id, data: answer.body.items, refused: null } : { id, data, refused: answer } })
    })

  const run = () =>
    once('run', async () => {
      if (!state.run) return
      const answer = await get(`/api/v1/drills/${encodeURIComponent(state.run.run)}`)
      if (answer.ok) update({ run: answer.body })
    })

  const page = async () => {
    const here = {
      incident: () => Promise.all([incident(), trace()]),
      audit,
      services: () => Promise.all([services(), incidents()]),
      records: () => Promise.all([records(), ended()]),
      home: () => Promise.all([incidents(), drills(), run()]),
    }
    await Promise.all([here[state.route.page](), pending()])
  }

  const who = () =>
    once('who', async () => {
      const [session, people, signIn] = await Promise.all([get('/api/v1/session'), get('/api/v1/people'), get('/api/v1/sign-in')])
      const ended = !session.ok && session.status === 401 && (state.me !== null || state.sessionEnded)
      update({
        // Without an answer nothing is known: who was signed in still is.
        me: session.ok ? session.body.person : session.status === 401 ? null : state.me,
        people: people.ok ? people.body.items : people.status === 401 ? null : state.people,
        signIn: signIn.ok ? signIn.body : state.signIn,
        sessionEnded: ended,
        ...(ended && state.me !== null ? { announcement: 'Your session has ended.' } : {}),
      })
    })

  return {
    mode,
    run,
    drills,
    moreEnded,
    moreAudit,
    page,
    who,
    incident,
    evidence,
    trace,
    audit,
    countOver,
    /** What every page needs, before the first is drawn. */
    start: () => Promise.all([who(), mode()]),
    everything: () => Promise.all([who(), mode(), page()]),
    /**
     * Reads again what an event points at, if it is shown here.
     *
     * @param {{ type: string, incidentId?: string }} change
     */
    async changed({ type, incidentId }) {
      // A stop is told to the pages as whatever it changed: the mode is small, and must never be old.
      const reading = mode()
      if (type === 'mode-changed') await reading
      else if (state.route.page === 'home') await Promise.all([incidents(), pending(), drills(), run()])
      else if (state.route.page === 'incident' && incidentId === state.route.id) await Promise.all([incident(), pending(), trace()])
      else if (state.route.page === 'incident') await pending()
      else await page()
    },
  }
}

/** Who may not read the details of the mode without a name still reads whether anything would run. */
async function readMode() {
  const answer = await get('/api/v1/mode')
  return answer.status === 401 ? await get('/readyz') : answer
}

/** @typedef {ReturnType<typeof createReader>} Reader */
