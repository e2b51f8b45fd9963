import { onTestFinished } from 'vitest'
import { silenceSuite } from '../support/alertmanager/silence-suite.ts'
import { startAlertmanager } from '../support/peers.ts'

const CONFIG = 'route: { receiver: none }\nreceivers: [{ name: none }]\n'

silenceSuite(async () => {
  const alertmanager = await startAlertmanager({ config: CONFIG })
  if ('missing' in alertmanager) return alertmanager
  onTestFinished(alertmanager.stop)
  return {
    url: alertmanager.url,
    fire: async (labels) => {
      const body = JSON.stringify([{ labels }])
      const response = await fetch(`${alertmanager.url}/api/v2/alerts`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
      })
      if (!response.ok) throw new Error(`Alertmanager answered ${response.status}: ${await response.text()}`)
    },
  }
})
