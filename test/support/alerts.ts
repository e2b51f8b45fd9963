import type { Alert } from '../../agent/domain/alert.ts'

/** A firing alert about payments' errors, with what the test says otherwise. */
export function alert(said: Partial<Alert> = {}): Alert {
  return {
    source: 'test',
    key: 'payments-errors',
    name: 'HighErrorRatio',
    status: 'firing',
    level: 'critical',
    service: 'payments',
    environment: 'shop',
    summary: 'more than 5 % of the requests fail',
    labels: {},
    annotations: {},
    startsAt: '2026-03-01T10:42:00.000Z',
    endsAt: null,
    link: null,
    trigger: null,
    ...said,
  }
}
