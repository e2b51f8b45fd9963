import { type GivenAnswer, hoursAgo, type Target } from './scenario.ts'

/** An alert as three systems tell it: Alertmanager, the API of Prometheus, a table. About the app unless `labels` say otherwise. */
export function firing(
  target: Target,
  alertname: string,
  summary: string,
  labels: Record<string, string> = { app: target.app.name },
): GivenAnswer {
  const { system } = target
  const since = hoursAgo(0.2)
  const all = { alertname, namespace: system.namespace, severity: 'warning', ...labels }
  const noise = { alertname: 'Watchdog', severity: 'none' }
  const always = 'This alert is always firing.'
  const forms = [
    () =>
      JSON.stringify([told(all, summary), told(noise, always)].map((each) => ({ ...each, startsAt: since, status: { state: 'active' } }))),
    () =>
      JSON.stringify({
        status: 'success',
        data: { alerts: [told(noise, always), told(all, summary)].map((each) => ({ ...each, state: 'firing', activeAt: since })) },
      }),
    () =>
      table([
        { NAME: 'Watchdog', STATE: 'firing', ABOUT: '<none>', SUMMARY: always },
        { NAME: alertname, STATE: 'firing', ABOUT: Object.values(labels)[0] ?? '', SUMMARY: summary },
      ]),
  ] as const
  return { tool: 'alerts', args: { namespace: system.namespace }, text: target.pick(forms)() }
}

function told(labels: Record<string, string>, summary: string): object {
  return { labels, annotations: { summary } }
}

/** Who calls whom, as three tools tell it. */
export function callTree({ system, app, pick }: Target): GivenAnswer {
  const pairs = system.apps.flatMap(({ name, calls }) => calls.map((to) => ({ from: name, to })))
  const forms = [
    () => JSON.stringify({ edges: pairs }),
    () => table(pairs.map(({ from, to }) => ({ FROM: from, TO: to }))),
    () => pairs.map(({ from, to }) => `${from} -> ${to}`).join('\n'),
  ] as const
  return { tool: 'dependencies', args: { app: app.name }, text: pick(forms)() }
}

function table(rows: readonly Record<string, string>[]): string {
  const names = Object.keys(rows[0] ?? {})
  const widths = names.map((name) => Math.max(name.length, ...rows.map((row) => (row[name] ?? '').length)) + 3)
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('')
      .trimEnd()
  return [line(names), ...rows.map((row) => line(names.map((name) => row[name] ?? '')))].join('\n')
}
