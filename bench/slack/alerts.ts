/** Sends an alert of Alertmanager for one cause, about one of the instances of a service. @returns the status of the answer; 0 without one */
export async function sendAlert(url: string, instance: number): Promise<number> {
  const name = 'HighErrorRatio'
  const alert = {
    status: 'firing',
    labels: { alertname: name, service: 'payments', environment: 'local', severity: 'critical', instance: `payments-${instance}` },
    annotations: { summary: 'more than 5 % of the requests fail' },
    startsAt: new Date().toISOString(),
    endsAt: '0001-01-01T00:00:00Z',
    generatorURL: 'http://127.0.0.1:9090/graph',
    fingerprint: `${name}-${instance}`,
  }
  const group = { version: '4', status: 'firing', receiver: 'steadyhand', groupKey: `{}:{alertname="${name}"}`, truncatedAlerts: 0 }
  try {
    const response = await fetch(`${url}/webhooks/alertmanager`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...group, alerts: [alert] }),
    })
    await response.arrayBuffer()
    return response.status
  } catch {
    return 0
  }
}
