/** @import { Reader } from './reader.js' */
/** @import { State } from './state.js' */
import { clickKey, get, post, remove } from './api.js'
import { modeMark } from './mode.js'
import { createVoting } from './voting.js'

const ASKED_KEPT = 20
const NAMELESS = {
  code: 'no-person',
  title: 'Sign in first: a drill breaks the local shop, and who started it is recorded.',
  detail: null,
}

/**
 * What buttons and forms do. Each says by its name what it wants, and by its ref what it is about.
 *
 * @param {State} state
 * @param {(change: Partial<State>) => void} update
 * @param {Reader} reader
 */
export function createActions(state, update, reader) {
  const voting = createVoting(state, update, reader)

  /** @param {string} person */
  async function signIn(person) {
    const answer = await post('/api/v1/session', { person })
    if (!answer.ok) return update({ signInRefused: answer })
    update({
      me: answer.body.person,
      signInRefused: null,
      sessionEnded: false,
      control: null,
      drillRefused: null,
      // What somebody else asked here is not this person's.
      exchanges: {},
      announcement: `Signed in as ${answer.body.person.name}.`,
    })
    voting.forgetRefusals()
    document.querySelector('details.who')?.removeAttribute('open')
    await reader.everything()
  }

  /** At the identity provider, which sends the browser back to what it shows now. */
  function signInThere() {
    if (state.signIn?.at) location.assign(`${state.signIn.at}?returnTo=${encodeURIComponent(`/${location.hash}`)}`)
  }

  async function signOut() {
    const answer = state.signIn?.way === 'provider' ? await post('/auth/logout', {}) : await remove('/api/v1/session')
    update({ me: null })
    if (answer.ok && answer.body?.continueAt) location.assign(answer.body.continueAt)
    else await reader.everything()
  }

  /**
   * Stops or starts everything, by the same words as in chat.
   *
   * @param {'stop' | 'start'} word
   */
  async function control(word) {
    const answer = await post('/api/v1/commands', { text: word })
    await reader.mode()
    const said = answer.ok ? { blocks: answer.body.blocks, refused: null } : { blocks: null, refused: answer }
    update({ control: { ...said, about: modeMark(state) } })
  }

  /** @param {string} name */
  async function startDrill(name) {
    if (!state.me) return update({ drillRefused: { ...NAMELESS, name } })
    update({ drillRefused: null })
    const answer = await post('/api/v1/drills', { name })
    if (!answer.ok) {
      update({ drillRefused: { ...answer, name } })
      return reader.drills()
    }
    const { run } = answer.body
    update({
      run: {
        run,
        name,
        state: 'running',
        incident: null,
        approvals: [],
        words: null,
        startedAt: new Date().toISOString(),
        startedBy: state.me.id,
      },
      announcement: `The drill ${name} has begun.`,
    })
    void reader.drills()
    await followDrill(run)
  }

  /**
   * Takes the reader to the drill's incident as soon as there is one, if they did not go elsewhere.
   *
   * @param {string} run
   */
  async function followDrill(run) {
    let told = false
    while (state.run?.run === run && state.run.state === 'running') {
      await new Promise((resolve) => setTimeout(resolve, 1_000))
      const answer = await get(`/api/v1/drills/${encodeURIComponent(run)}`)
      if (!answer.ok || state.run?.run !== run) continue
      update({ run: answer.body })
      if (!told && answer.body.incident && state.route.page === 'home')
        location.hash = `#/incidents/${encodeURIComponent(answer.body.incident)}`
      told ||= Boolean(answer.body.incident)
    }
    await reader.drills()
  }

  async function verify() {
    update({ report: { ...state.report, busy: true } })
    const answer = await get('/api/v1/audit/verify')
    update({ report: { busy: false, at: new Date(), data: answer.ok ? answer.body : null, refused: answer.ok ? null : answer } })
  }

  /**
   * @param {string} place
   * @param {string} text
   */
  async function ask(place, text) {
    const key = clickKey()
    const exchange = { key, at: new Date(), asked: text, blocks: null, refused: null }
    const others = () => (state.exchanges[place] ?? []).filter((one) => one.key !== key)
    update({ asking: true, exchanges: { ...state.exchanges, [place]: [...others(), exchange].slice(-ASKED_KEPT) } })
    const answer = await post('/api/v1/commands', { text, incident: place === '' ? null : place })
    const answered = answer.ok ? { ...exchange, blocks: answer.body.blocks } : { ...exchange, refused: answer }
    update({ asking: false, exchanges: { ...state.exchanges, [place]: [...others(), answered] } })
    await reader.mode()
  }

  /** Puts the writer into the box for questions. */
  function startAsking() {
    const box = document.getElementById('ask-text')
    if (!(box instanceof HTMLInputElement)) return
    box.focus({ preventScroll: true })
    box.scrollIntoView({ block: 'center' })
  }

  /** @type {Record<string, (ref: string) => unknown>} */
  const buttons = {
    ...voting.buttons,
    'sign-in': signIn,
    'sign-in-there': signInThere,
    'sign-out': signOut,
    stop: () => control('stop'),
    'start-again': () => control('start'),
    dismiss: () => update({ control: null }),
    'start-drill': startDrill,
    verify,
    reload: (what) => (what === 'report' ? verify() : what === 'evidence' ? reader.evidence() : reader.everything()),
    ask: startAsking,
    'more-ended': () => reader.moreEnded(),
    'more-audit': () => reader.moreAudit(),
    'records-days': (days) => reader.countOver({ days: Number(days) }),
    'records-drills': () => reader.countOver({ drills: !state.records.drills }),
    'ask-example': (text) => (state.asking ? null : ask(state.route.id, text)),
  }

  return {
    /**
     * @param {string} name
     * @param {string} ref
     */
    press(name, ref) {
      void buttons[name]?.(ref)
    },
    /** @param {HTMLFormElement} form */
    submit(form) {
      const { do: name, ref = '' } = form.dataset
      const field = form.querySelector('input')
      const text = field?.value.trim() ?? ''
      if (name === 'deny-submit') void voting.vote(ref, 'deny', { reason: text === '' ? null : text })
      if (name === 'confirm-submit') void voting.vote(ref, 'approve', { confirm: field?.value ?? '' })
      if (name === 'ask-submit' && text !== '' && !state.asking) {
        if (field) field.value = ''
        void ask(ref, text)
      }
    },
  }
}
