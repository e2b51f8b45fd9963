import { appOf, type ClusterRule, eventsOf, type Finding, isRecent, livingPods, quotesOf } from '../finding.ts'

const IS_LATE = /DeadlineExceeded|longer than (the )?specified deadline|BackoffLimitExceeded|reached the specified backoff limit/i

const HAS_FAILED: ReadonlySet<string> = new Set(['Failed', 'FailureTarget'])

/** What a node put out to save itself, and jobs that did not come to their end. */
export const ended: ClusterRule = (state) => {
  const evicted = livingPods(state)
    .filter(({ reason, phase }) => phase === 'Failed' && reason === 'Evicted')
    .map((pod): Finding => {
      const told = eventsOf(state, pod.name).filter(({ reason }) => reason === 'Evicted')
      const words = `${pod.name} was put out by its node (Evicted).`
      const quotes = quotesOf(pod.message, ...told.map(({ message }) => message))
      return { class: 'evicted', component: appOf(pod), score: 82, words, quotes, since: told[0]?.firstAt ?? null }
    })
  const late = (state.events ?? [])
    .filter((event) => event.object.kind === 'Job' && isRecent(event, state) && IS_LATE.test(`${event.reason} ${event.message}`))
    .map(({ object, message, firstAt }): Finding => {
      const words = `The job ${object.name} did not finish in the time, or the tries, it was given.`
      return { class: 'job_stuck', component: `app/${object.name}`, score: 86, words, quotes: quotesOf(message), since: firstAt }
    })
  const given = (state.workloads ?? [])
    .filter(({ kind, conditions }) => kind === 'Job' && conditions.some(({ type, status }) => HAS_FAILED.has(type) && status === 'True'))
    .map(({ name, conditions }): Finding => {
      const words = `The job ${name} has failed: it is not tried again.`
      const quotes = quotesOf(...conditions.map(({ message }) => message))
      return { class: 'job_stuck', component: `app/${name}`, score: 84, words, quotes, since: null }
    })
  return [...evicted, ...late, ...given]
}
