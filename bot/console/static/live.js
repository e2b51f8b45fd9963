const KINDS = ['incident-changed', 'approval-changed', 'message-posted', 'mode-changed']

/**
 * Listens to what changed, as long as somebody can see the page: a browser keeps six connections to a host, and tabs that nobody looks at must not
 * take them from the one where somebody decides. With every connection, the first one too, everything is read again: what happened before it was
 * open was told to nobody.
 *
 * @param {{
 *   onState: (state: 'live' | 'lost') => void,
 *   onEverything: () => void,
 *   onChange: (change: { type: string, incidentId?: string, requestId?: string }) => void,
 * }} listeners
 */
export function listenForChanges({ onState, onEverything, onChange }) {
  /** @type {EventSource | null} */
  let source = null
  let retry = 0

  const close = () => {
    clearTimeout(retry)
    source?.close()
    source = null
  }
  const open = () => {
    close()
    const opened = new EventSource('/api/v1/events')
    source = opened
    opened.addEventListener('open', () => {
      onState('live')
      onEverything()
    })
    opened.addEventListener('error', () => {
      onState('lost')
      // A refused stream is closed for good by the browser: begin again, slowly.
      if (opened.readyState === EventSource.CLOSED) retry = setTimeout(follow, 5_000)
    })
    for (const kind of [...KINDS, 'message']) opened.addEventListener(kind, (event) => onChange(parse(event.data)))
  }
  const follow = () => {
    if (document.visibilityState === 'hidden') close()
    else if (source === null || source.readyState === EventSource.CLOSED) open()
  }
  document.addEventListener('visibilitychange', follow)
  follow()
}

/**
 * @param {string} data
 * @returns {{ type: string, incidentId?: string, requestId?: string }}
 */
function parse(data) {
  const change = JSON.parse(data)
  return { type: String(change?.type ?? ''), incidentId: change?.incidentId, requestId: change?.requestId }
}
