const KINDS = ['incident-changed', 'approval-changed', 'message-posted', 'mode-changed']

/**
 * Listens to what changed. With every connection, the first one too, everything is read again: what happened before it was open was told to nobody.
 *
 * @param {{
 *   onState: (state: 'live' | 'lost') => void,
 *   onEverything: () => void,
 *   onChange: (change: { type: string, incidentId?: string, requestId?: string }) => void,
 * }} listeners
 */
export function listenForChanges({ onState, onEverything, onChange }) {
  const source = new EventSource('/api/v1/events')
  source.addEventListener('open', () => {
    onState('live')
    onEverything()
  })
  source.addEventListener('error', () => {
    onState('lost')
    // A refused stream is closed for good by the browser: begin again, slowly.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => listenForChanges({ onState, onEverything, onChange }), 5_000)
  })
  for (const kind of [...KINDS, 'message']) {
    source.addEventListener(kind, (event) => onChange(parse(event.data)))
  }
}

/**
 * @param {string} data
 * @returns {{ type: string, incidentId?: string, requestId?: string }}
 */
function parse(data) {
  const change = JSON.parse(data)
  return { type: String(change?.type ?? ''), incidentId: change?.incidentId, requestId: change?.requestId }
}
