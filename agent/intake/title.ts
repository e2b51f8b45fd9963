import type { PlacedAlert } from './normalise.ts'

const MAX_TITLE = 200

/** What the incident is called: the alert and the service. */
export function titleOf({ alert, service }: Pick<PlacedAlert, 'alert' | 'service'>): string {
  const title = `${service}: ${alert.name}`
  return title.length <= MAX_TITLE ? title : `${title.slice(0, MAX_TITLE - 1)}…`
}
