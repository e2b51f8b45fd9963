/** @import { State } from './state.js' */
/** @import { Tree } from './tree.js' */
import { loading, refusedView } from './loaded-view.js'
import { incidentHash } from './route.js'
import { moment } from './time.js'
import { h } from './tree.js'

const WINDOWS = [7, 30, 90]
const DRAFTS_SHOWN = 20

/**
 * How it went: times, outcomes and approvals of a window, and the drafts of postmortems.
 *
 * @param {State} state
 * @param {{ now: Date }} context
 * @returns {Tree[]}
 */
export function recordsView({ records, ended }, { now }) {
  return [
    h(
      'div',
      { class: 'column wide' },
      h('h1', { class: 'page-title' }, 'Records'),
      h(
        'div',
        { class: 'actions' },
        WINDOWS.map((days) =>
          h(
            'button',
            {
              key: String(days),
              type: 'button',
              class: 'button small',
              'aria-pressed': records.days === days ? 'true' : 'false',
              'data-do': 'records-days',
              'data-ref': days,
            },
            `${days} days`,
          ),
        ),
        h(
          'button',
          {
            key: 'drills',
            type: 'button',
            class: 'button small',
            'aria-pressed': records.drills ? 'true' : 'false',
            'data-do': 'records-drills',
          },
          'With drills',
        ),
      ),
      figures(records),
      drafts(ended, now),
    ),
  ]
}

/**
 * @param {State['records']} records
 * @returns {Tree}
 */
function figures({ data, refused, days, drills }) {
  if (refused) return refusedView(refused, 'records')
  if (!data) return loading('Counting…')
  const { incidents, endings, requests, outcomes, afterHours, feedback } = data
  const told = feedback.right + feedback.wrong
  const left = incidents.drillsLeftOut
  if (incidents.opened === 0 && requests.asked === 0)
    return h(
      'p',
      { class: 'empty' },
      `No incident in the last ${days} days.${left > 0 && !drills ? ` ${left} ${left === 1 ? 'incident of a drill is' : 'incidents of drills are'} left out: press With drills to count ${left === 1 ? 'it' : 'them'}.` : ''}`,
    )
  return h(
    'dl',
    { class: 'figures' },
    data.isWhole ? null : figure('Too small', '!', 'there was more than is counted at once: choose fewer days'),
    figure('Incidents', `${incidents.opened}`, `${incidents.open} open${left > 0 ? `, ${left} of drills left out` : ''}`),
    figure('By severity', bySeverity(incidents.bySeverity), 'Sev 1 is the worst'),
    durations('Time to acknowledge', data.timeToAcknowledge),
    durations('Time to resolve', data.timeToResolve),
    durations('A request waited', data.approvalLatency),
    ...data.voters.map(voter),
    figure(
      'How they ended',
      `${endings.verified + endings.healed + endings.gone + endings.person}`,
      `${endings.verified} by a verified action, ${endings.healed} by themselves, ${endings.gone} once something was done that was not verified, ${endings.person} by the word of a person`,
    ),
    figure(
      'Requests',
      `${requests.asked}`,
      `${requests.approved} approved, ${requests.denied} denied, ${requests.expired} expired, ${requests.cancelled} cancelled`,
    ),
    figure(
      'Actions verified',
      `${outcomes.verified}`,
      `${outcomes.undone} undone, ${outcomes.failed} failed, ${outcomes.undetermined} undetermined, ${outcomes.notRun} not run`,
    ),
    figure(
      'After hours',
      `${afterHours.incidents}`,
      `incidents outside Mon–Fri 08:00–18:00 UTC, with ${afterHours.requests} ${afterHours.requests === 1 ? 'request' : 'requests'}`,
    ),
    figure(
      'Diagnoses right',
      told === 0 ? '–' : `${feedback.right} of ${told}`,
      told === 0 ? 'nobody has said yet: “feedback right” or “feedback wrong” in an incident’s thread' : 'by the word of people',
    ),
  )
}

/**
 * Who says yes each time within seconds does not read what is asked.
 *
 * @param {{ name: string, votes: number, approved: number, atAGlance: number, medianSeconds: number }} voter
 */
function voter({ name, votes, approved, atAGlance, medianSeconds }) {
  const glance = atAGlance === 0 ? '' : `; ${atAGlance} within 10 s of the card, before anybody could have read it`
  return figure(`Decided by ${name}`, `${votes}`, `${approved} approved, in the middle ${seconds(medianSeconds)} after the card${glance}`)
}

/**
 * 'Sev 3: 1, Sev 4: 2': only those that there were.
 *
 * @param {Record<number, number>} counts
 */
function bySeverity(counts) {
  const there = [1, 2, 3, 4].filter((level) => counts[level])
  return there.length === 0 ? 'none' : there.map((level) => `Sev ${level}: ${counts[level]}`).join(', ')
}

/**
 * @param {string} name
 * @param {string} value
 * @param {string} more
 * @returns {Tree}
 */
function figure(name, value, more) {
  return h(
    'div',
    { key: name, class: 'figure' },
    h('dt', null, name),
    h('dd', { class: 'figure-value' }, value),
    h('dd', { class: 'note' }, more),
  )
}

/**
 * @param {string} name
 * @param {{ mean: number | null, median: number | null, p90: number | null, n: number }} durations
 */
function durations(name, { mean, median, p90, n }) {
  if (mean === null || median === null || p90 === null) return figure(name, '–', 'nothing to measure yet')
  return figure(
    name,
    seconds(median),
    n === 1 ? 'of one' : `in the middle of ${n}; on average ${seconds(mean)}, 90 % within ${seconds(p90)}`,
  )
}

/**
 * '8 s', '3 min 5 s', '2 h 4 min'.
 *
 * @param {number} value
 */
export function seconds(value) {
  const whole = Math.round(value)
  if (whole < 60) return `${whole} s`
  if (whole < 3_600) return whole % 60 === 0 ? `${whole / 60} min` : `${Math.floor(whole / 60)} min ${whole % 60} s`
  const minutes = Math.round(whole / 60)
  return minutes % 60 === 0 ? `${minutes / 60} h` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`
}

/**
 * @param {State['ended']} ended
 * @param {Date} now
 */
function drafts({ data, refused }, now) {
  const newest = (data ?? []).slice(0, DRAFTS_SHOWN)
  return h(
    'section',
    { key: 'drafts', 'aria-labelledby': 'drafts' },
    h('h2', { class: 'section', id: 'drafts' }, 'Postmortem drafts'),
    refused ? refusedView(refused, 'incidents') : null,
    !refused && !data ? loading('Reading the incidents…') : null,
    data && newest.length === 0 ? h('p', { class: 'empty' }, 'No incident has ended yet. Each that ends has a draft here.') : null,
    h(
      'ul',
      { class: 'rows' },
      newest.map((/** @type {any} */ { id, title, severity, endedAt, run }) =>
        h(
          'li',
          { key: id },
          h(
            'div',
            { class: 'row' },
            h('span', { class: 'row-title' }, `${id}: ${title}`),
            h('span', { class: 'row-more' }, `Sev ${severity} · ended ${moment(new Date(endedAt), now)}${run ? ' · a drill' : ''}`),
            h(
              'span',
              { class: 'row-more' },
              h('a', { class: 'row-link', href: incidentHash(id) }, 'The incident'),
              h('a', { class: 'row-link', href: `/api/v1/incidents/${encodeURIComponent(id)}/postmortem.md` }, 'The draft as Markdown'),
            ),
          ),
        ),
      ),
    ),
  )
}
